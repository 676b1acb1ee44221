"""A load, as asked for: pure data, and its form for the C generator."""

from __future__ import annotations

import socket
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from wsgibench.errors import UsageError
from wsgibench.load.headers import header_set

MAX_SEQUENCE = 10_000


@dataclass(frozen=True)
class LoadSpec:
    """One run of the generator. Times are seconds.

    ``rate`` 0 is a closed loop: every connection sends its next request when
    the answer is there. Otherwise requests are due at ``rate`` per second,
    whatever the answers do, and wait in a queue while no connection is free.
    """

    url: str
    connections: int = 1
    duration: float = 5.0
    rate: float = 0.0
    poisson: bool = True
    seed: int = 1
    keepalive: bool = True
    per_connection: int = 0
    pipeline: int = 1
    requests: int = 0
    headers: str = "minimal"
    extra_headers: tuple[tuple[str, str], ...] = field(default=())
    method: str = "GET"
    body: bytes = b""
    expect_status: int = 200
    expect_body: bytes | None = None
    timeout: float = 5.0
    drain: float = 2.0
    window: float = 0.1
    source: str = ""
    sources: int = 1

    def settings(self) -> dict[str, Any]:
        """Keyword arguments of ``LoadGenerator``."""
        host, port, _ = self.target()
        return {
            "host": host,
            "port": port,
            "connections": self.connections,
            "duration_ns": round(self.duration * 1e9),
            "rate": float(self.rate),
            "poisson": int(self.poisson),
            "seed": self.seed,
            "close": int(not self.keepalive),
            "per_connection": self.per_connection,
            "pipeline": self.pipeline,
            "max_requests": self.requests,
            "expect_status": self.expect_status,
            "check_body": int(self.expect_body is not None),
            "timeout_ns": round(self.timeout * 1e9),
            "drain_ns": round(self.drain * 1e9),
            "window_ns": round(self.window * 1e9),
            "source": self.source,
            "sources": self.sources,
        }

    def target(self) -> tuple[str, int, str]:
        """(numeric address, port, request target)"""
        if self.url.startswith("unix:"):
            path, _, target = self.url.partition("|")
            return path, 0, target or "/"
        parts = urlsplit(self.url)
        if parts.scheme != "http" or not parts.hostname:
            raise UsageError(
                "%r is not a URL like http://127.0.0.1:8000/ or "
                "unix:/path|/target." % self.url
            )
        try:
            port = parts.port or 80
            address = socket.getaddrinfo(
                parts.hostname, port, type=socket.SOCK_STREAM
            )[0][4][0]
        except (OSError, ValueError) as error:
            raise UsageError(
                "cannot resolve %r: %s." % (self.url, error)
            ) from error
        target = parts.path or "/"
        if parts.query:
            target += "?" + parts.query
        return str(address), port, target

    def render(self) -> list[bytes]:
        """The requests, used in turn; ``{seq}`` in the URL counts them."""
        if self.connections < 1 or self.pipeline < 1 or self.duration <= 0:
            raise UsageError(
                "connections and pipeline must be at least 1, and the "
                "duration more than 0 seconds."
            )
        target = self.target()[2]
        if "{seq}" not in target:
            return [self._render_one(target)]
        return [
            self._render_one(target.replace("{seq}", str(number)))
            for number in range(MAX_SEQUENCE)
        ]

    def _render_one(self, target: str) -> bytes:
        authority = urlsplit(self.url).netloc or "localhost"
        lines = [
            "%s %s HTTP/1.1" % (self.method, target),
            "Host: " + authority,
            "Connection: " + ("keep-alive" if self.keepalive else "close"),
        ]
        for name, value in [*header_set(self.headers), *self.extra_headers]:
            lines.append("%s: %s" % (name, value))
        if self.body or self.method in ("POST", "PUT", "PATCH"):
            lines.append("Content-Length: %d" % len(self.body))
        return "\r\n".join([*lines, "", ""]).encode("latin-1") + self.body
