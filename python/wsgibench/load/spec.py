"""A load, as asked for: pure data, and its form for the C generator."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Any, Union

from wsgibench.errors import UsageError
from wsgibench.load.target import Target, host_name, parse_target
from wsgibench.load.values import Stage

#: Of a load's result, whichever tool made it (docs/record-format.md).
SCHEMA = "wsgibench-load/3"

Headers = tuple[tuple[str, str], ...]
#: A status, several of them, or 0 and (): any 2xx.
Statuses = Union[int, tuple[int, ...]]

MAX_ROUTES = 1_000
MAX_REDIRECTS = 255
MAX_PIPELINE = 65_536
LAST_NS = 1 << 62
MOST = 4e9  # of any number: seconds of a century, connections of 32 bits
POSITIVE = ("duration", "window", "timeout")
LEAST_WINDOW = 0.001  # seconds: each has histograms of its own
MOST_RATE = 2e7  # requests/s that a process can compute the times of
MOST_BYTES = 1 << 62  # of a body
MAX_WEIGHTS = 1_000_000


def _is_ipv4(text: str) -> bool:
    try:
        ipaddress.IPv4Address(text)
    except ValueError:
        return False
    return True


@dataclass(frozen=True)
class Entry:
    """One request of a mix. Target, header values and body may hold
    templates (load/templates.py).

    What is None is as the LoadSpec says. A header replaces one of that name
    among the LoadSpec's; ``headers`` may name one several times.

    ``weight`` entries of 3 are sent three times as often as those of 1: the
    shares are exact, the order is shuffled by the LoadSpec's seed. Entries
    with the same ``route`` are counted together, apart from other routes.

    ``expect_hash`` is ``sha256:HEX`` of the body: it is asked for once before
    the run, must have that hash, and is then compared byte by byte.
    """

    target: str
    method: str = "GET"
    headers: Headers = ()
    body: bytes | None = None
    weight: int = 1
    route: str = ""
    expect_status: Statuses | None = None
    expect_body: bytes | None = None
    expect_length: int | None = None
    expect_hash: str = ""
    learn: bool | None = None


@dataclass(frozen=True)
class LoadSpec:
    """One run of the generator. Times are seconds.

    ``rate`` 0 is a closed loop: every connection sends its next request when
    the answer is there, or ``think`` seconds later. Otherwise requests are
    due at ``rate`` per second (moving evenly to ``rate_end``), whatever the
    answers do, and wait in a queue while no connection is free.

    A mix of requests, with a route for each kind and two visitors::

        spec = LoadSpec(
            "http://127.0.0.1:8000",     # where to; its path is not asked for
            connections=64,
            rate=2000,
            headers="proxied",           # a set, for all entries
            entries=(
                Entry("/", weight=7, route="start"),
                Entry("/item/{number:1-500}", weight=2, route="item"),
                Entry("/cart", "POST", (("Content-Type", "application/json"),),
                      b'{"id": {seq}}', route="cart",
                      expect_status=(201, 409), expect_length=17),
            ),
            visitors=((("Cookie", "s=1"),), (("Cookie", "s=2"),)),
            think=(0.5, 1.5),
        )
        result = wsgibench.load.run.run(spec)

    Connection i sends the headers of visitor i modulo their number. The result
    (docs/record-format.md) has ``routes``: a dict by name of ``classes``,
    ``tail`` (quantiles with the unanswered in them), ``response`` and
    ``censored`` (histograms of those that were answered and of those that
    were not), and each of its windows a ``routes`` with ``classes`` and
    ``response``. Without ``route`` there are none. At most 1,000 routes.
    """

    url: str
    connections: int = 1
    duration: float = 5.0
    rate: float = 0.0
    rate_end: float | None = None  # None: as rate
    stages: tuple[Stage, ...] = ()  # instead of duration and rate
    poisson: bool = True
    think: tuple[float, float] = (0.0, 0.0)  # closed loop: least and most
    seed: int = 1
    keepalive: bool = True
    per_connection: int = 0
    pipeline: int = 1
    requests: int = 0
    connect_rate: float = 0.0
    processes: int = 1
    part: int = 0  # which of `parts` generators this is
    parts: int = 1
    # what is sent
    headers: str = "minimal"
    extra_headers: Headers = ()
    visitors: tuple[Headers, ...] = ()  # by connection
    entries: tuple[Entry, ...] = ()  # none: what follows
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
    expect_status: Statuses = 200
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
    tls_cert: str = ""  # the client's own, and its key
    tls_key: str = ""
    tls_name: str = ""  # whom to ask for and to verify; "": the URL's host
    tls_resume: bool = False
    follow: int = 0  # redirects of a request, on the same origin
    cookies: bool = False  # each connection keeps those it is sent
    connect_to: str = ""  # HOST:PORT in place of the URL's
    resolve: tuple[str, ...] = ()  # HOST:PORT:ADDRESS[,ADDRESS ...]
    percentiles: tuple[float, ...] = ()  # besides those always given

    def target(self) -> Target:
        return parse_target(self.url, self.connect_to, self.resolve)

    def server_name(self, target: Target) -> str:
        """Of TLS: as told, as a Host header says, or as the URL does."""
        if not target.tls:
            return ""
        host = dict((n.lower(), v) for n, v in self.extra_headers).get("host")
        if self.tls_name:
            return host_name(self.tls_name)
        if not host or "{" in host:  # a template: another in each request
            return target.name
        return host_name(
            host.rpartition("]")[0].lstrip("[") or host.partition(":")[0]
        )

    def check(self) -> None:
        """UsageError for what makes no sense."""
        least = {
            "connections": 1,
            "pipeline": 1,
            "processes": 1,
            "sources": 1,
            "requests": 0,
            "per_connection": 0,
            "connect_rate": 0,
            "chunk": 0,
            "seed": 0,
            "rate": 0,
            "rate_end": 0,
            "drain": 0,
            "send_size": 0,
            "send_gap": 0,
            "read_size": 0,
            "read_gap": 0,
            "start_ns": 0,
        }
        for name in (*least, *POSITIVE):
            value = getattr(self, name) or 0
            too_small = value <= 0 if name in POSITIVE else value < least[name]
            most = LAST_NS if name == "start_ns" else MOST
            if too_small or not value <= most:
                raise UsageError("%s cannot be %s." % (name, value))
        self._check_times()
        self._check_expected()
        if self.tls_key and not self.tls_cert:
            raise UsageError("a key of one's own needs its certificate.")
        if self.pipeline > MAX_PIPELINE:
            raise UsageError(
                "a connection has at most %d requests under way."
                % MAX_PIPELINE
            )
        if self.source and not _is_ipv4(self.source):
            raise UsageError(
                "%r is not a source address like 127.0.0.1." % self.source
            )
        if self.processes > self.connections:
            raise UsageError(
                "%d processes need at least as many connections, not %d."
                % (self.processes, self.connections)
            )
        if not 0 <= self.follow <= MAX_REDIRECTS:
            raise UsageError(
                "a request follows 0 to %d redirects, not %d."
                % (MAX_REDIRECTS, self.follow)
            )
        if self.pipeline > 1 and (self.follow or self.cookies):
            raise UsageError(
                "redirects and cookies need each answer before the next "
                "request: no pipelining."
            )
        if self.http10 and self.chunk:
            raise UsageError("HTTP/1.0 knows no chunked body.")

    @property
    def open_loop(self) -> bool:
        return bool(self.stages or self.rate or self.rate_end)

    def _check_expected(self) -> None:
        all_of_them: tuple[LoadSpec | Entry, ...] = (self, *self.entries)
        for one in all_of_them:
            asked = one.expect_status
            several = (asked,) if isinstance(asked, int) else asked or ()
            if not all(0 <= status < 1_000 for status in several):
                raise UsageError("no status can be %s." % (asked,))
            length = -1 if one.expect_length is None else one.expect_length
            if not -1 <= length <= MOST_BYTES:
                raise UsageError("no body has %d bytes." % length)
        for entry in self.entries:
            if not 1 <= entry.weight <= MAX_WEIGHTS:
                raise UsageError("no weight can be %d." % entry.weight)
        if not all(0 <= one <= 100 for one in self.percentiles):
            raise UsageError("percentiles are 0 to 100.")
        if not 0 <= self.part < self.parts:
            raise UsageError(
                "there is no part %d of %d." % (self.part, self.parts)
            )

    def _check_times(self) -> None:
        if self.window < LEAST_WINDOW:
            raise UsageError("a window has at least %g s." % LEAST_WINDOW)
        if self.rate_end is not None and not self.rate + self.rate_end:
            raise UsageError("a ramp from 0 to 0 asks for nothing.")
        for stage in self.stages:
            if stage[0] <= 0 or min(stage[1:]) < 0 or not max(stage) <= MOST:
                raise UsageError("no stage can be %g s, %g to %g." % stage)
        if self.stages and not any(max(stage[1:]) for stage in self.stages):
            raise UsageError("no stage asks for a request.")
        fastest = max((max(one[1:]) for one in self.stages_asked()), default=0)
        if fastest > MOST_RATE * self.processes * self.parts:
            raise UsageError(
                "%g requests/s are more than the %g that a process can "
                "compute." % (fastest, MOST_RATE)
            )
        least, most = self.think
        if not 0 <= least <= most <= MOST:
            raise UsageError("a think time cannot be %g to %g s." % self.think)
        if most and self.open_loop:
            raise UsageError(
                "think time is of the closed loop; here requests are due at "
                "a rate."
            )
        if most and self.pipeline > 1:
            raise UsageError("who thinks after an answer does not pipeline.")

    def stages_asked(self) -> tuple[Stage, ...]:
        """(); for an open loop at least one."""
        if self.stages or not self.open_loop:
            return self.stages
        end = self.rate if self.rate_end is None else self.rate_end
        return ((self.duration, self.rate, end),)

    @property
    def seconds(self) -> float:
        """For which requests are started."""
        if self.stages:
            return sum(stage[0] for stage in self.stages)
        return self.duration

    @property
    def mean_rate(self) -> float:
        """Requests/s over the whole run; 0: closed loop."""
        due = sum(t * (a + b) / 2 for t, a, b in self.stages_asked())
        return due / self.seconds

    def settings(self) -> dict[str, Any]:
        """Keyword arguments of ``LoadGenerator``."""
        target = self.target()
        return {
            "host": target.addresses,
            "port": target.port,
            "connections": self.connections,
            "duration_ns": round(self.seconds * 1e9),
            "think_ns": round(self.think[0] * 1e9),
            "think_most_ns": round(self.think[1] * 1e9),
            "poisson": int(self.poisson),
            "seed": self.seed,
            "part": self.part,
            "parts": self.parts,
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
            "timeout_ns": round(self.timeout * 1e9),
            "drain_ns": round(self.drain * 1e9),
            "window_ns": round(self.window * 1e9),
            "start_ns": self.start_ns,
            "source": self.source,
            "sources": self.sources,
            "tls": int(target.tls),
            "tls_name": self.server_name(target),
            "tls_cert": self.tls_cert,
            "tls_key": self.tls_key,
            "tls_ca": self.tls_ca,
            "tls_resume": int(self.tls_resume),
            "follow": self.follow,
            "cookies": int(self.cookies),
        }
