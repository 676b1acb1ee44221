"""A load, as asked for: pure data, and its form for the C generator."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from wsgibench.errors import UsageError
from wsgibench.load.target import Target, parse_target

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class LoadSpec:
    """One run of the generator. Times are seconds.

    ``rate`` 0 is a closed loop: every connection sends its next request when
    the answer is there. Otherwise requests are due at ``rate`` per second
    (moving evenly to ``rate_end``), whatever the answers do, and wait in a
    queue while no connection is free.
    """

    url: str
    connections: int = 1
    duration: float = 5.0
    rate: float = 0.0
    rate_end: float = 0.0
    poisson: bool = True
    seed: int = 1
    keepalive: bool = True
    per_connection: int = 0
    pipeline: int = 1
    requests: int = 0
    connect_rate: float = 0.0
    processes: int = 1
    # what is sent
    headers: str = "minimal"
    extra_headers: Headers = ()
    http10: bool = False
    method: str = "GET"
    body: bytes = b""
    chunk: int = 0  # bytes of a chunk; 0: Content-Length
    url_list: str = ""  # a file of targets with weights
    send_size: int = 0  # slow sender: so many bytes ...
    send_gap: float = 0.0  # ... each so many seconds
    read_size: int = 0
    read_gap: float = 0.0
    # what is expected
    expect_status: int = 200
    expect_body: bytes | None = None
    expect_length: int = -1
    learn: bool = False  # the body of a request before the run
    # limits
    timeout: float = 5.0
    drain: float = 2.0
    window: float = 0.1
    start_ns: int = 0
    source: str = ""
    sources: int = 1
    tls_ca: str = ""
    tls_resume: bool = False

    def target(self) -> Target:
        return parse_target(self.url)

    def check(self) -> None:
        """UsageError for what makes no sense."""
        wrong = {
            "connections": self.connections < 1,
            "pipeline": self.pipeline < 1,
            "processes": self.processes < 1,
            "duration": self.duration <= 0,
            "window": self.window <= 0,
            "rate": self.rate < 0 or self.rate_end < 0,
            "requests": self.requests < 0,
            "sources": self.sources < 1,
        }
        for name, is_wrong in wrong.items():
            if is_wrong:
                raise UsageError(
                    "%s cannot be %s." % (name, getattr(self, name))
                )
        if self.processes > self.connections:
            raise UsageError(
                "%d processes need at least as many connections, not %d."
                % (self.processes, self.connections)
            )
        if self.http10 and self.chunk:
            raise UsageError("HTTP/1.0 knows no chunked body.")

    def settings(self) -> dict[str, Any]:
        """Keyword arguments of ``LoadGenerator``."""
        target = self.target()
        check = 0
        if self.expect_body is not None or self.learn:
            check = 1
        elif self.expect_length >= 0:
            check = 2
        return {
            "host": target.host,
            "port": target.port,
            "connections": self.connections,
            "duration_ns": round(self.duration * 1e9),
            "rate": float(self.rate),
            "rate_end": float(self.rate_end),
            "poisson": int(self.poisson),
            "seed": self.seed,
            "close": int(not self.keepalive),
            "per_connection": self.per_connection,
            "pipeline": self.pipeline,
            "max_requests": self.requests,
            "connect_gap_ns": round(1e9 / self.connect_rate)
            if self.connect_rate
            else 0,
            "send_size": self.send_size,
            "send_gap_ns": round(self.send_gap * 1e9),
            "read_size": self.read_size,
            "read_gap_ns": round(self.read_gap * 1e9),
            "expect_status": self.expect_status,
            "check_body": check,
            "expect_length": max(0, self.expect_length),
            "timeout_ns": round(self.timeout * 1e9),
            "drain_ns": round(self.drain * 1e9),
            "window_ns": round(self.window * 1e9),
            "start_ns": self.start_ns,
            "source": self.source,
            "sources": self.sources,
            "tls": int(target.tls),
            "tls_name": target.name,
            "tls_ca": self.tls_ca,
            "tls_resume": int(self.tls_resume),
        }
