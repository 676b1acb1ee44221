"""--metrics and --statsd-host: a thread in each worker looks at its servers
once a second, away from the path of requests, and puts what it sees where
others can read it. The metrics' own listener is answered by any worker, for
all of them."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator, Sequence
from typing import Any

from wsgibench.errors import UsageError
from wsgibench.native import prometheus, sockets
from wsgibench.native.board import Board, flat, together
from wsgibench.native.contract import CoreServer
from wsgibench.native.numerals import read_number
from wsgibench.native.statsd import Statsd, address_of
from wsgibench.native.unpatched import Alarm, Thread

PERIOD = 1.0


def open_listener(address: str) -> socket.socket:
    if read_number(address) is not None:
        address = "127.0.0.1:" + address
    if ":" not in address:
        raise UsageError(
            "metrics is an address like 127.0.0.1:9100 or unix:/path, not %r."
            % address
        )
    listener = sockets.open_listener("", 0, address)
    listener.listen(64)
    return listener


class Observation:
    """Made before the fork; does nothing unless asked for."""

    def __init__(
        self,
        places: int,
        metrics: str | None = None,
        statsd_host: str | None = None,
        statsd_prefix: str = "",
        dogstatsd_tags: str = "",
    ) -> None:
        self._statsd: tuple[str, str, str] | None = None
        if statsd_host:
            self._statsd = statsd_host, statsd_prefix, dogstatsd_tags
            address_of(statsd_host)
        self.listener = None if metrics is None else open_listener(metrics)
        self._board = Board(places) if self.listener is not None else None

    @property
    def wanted(self) -> bool:
        return self._board is not None or self._statsd is not None

    def close(self) -> None:
        if self.listener is not None:
            sockets.remove_path(self.listener)
            self.listener.close()

    def retire(self, place: int) -> None:
        """In the supervisor: the worker of this place has ended."""
        if self._board is not None:
            self._board.retire(place)

    @contextlib.contextmanager
    def of(self, cores: Sequence[CoreServer], place: int) -> Iterator[None]:
        """In a worker, while its servers run."""
        if not self.wanted:
            yield
            return
        watch = _Watch(cores, place, self._board, self._statsd)
        with contextlib.ExitStack() as stack:
            stack.callback(watch.end)
            if self.listener is not None:
                stack.enter_context(self._answering(watch))
            yield

    @contextlib.contextmanager
    def _answering(self, watch: _Watch) -> Iterator[None]:
        from wsgibench.native.server import Server

        server = Server(watch.page, sock=self.listener, backlog=-1)
        server.start()
        try:
            yield
        finally:
            server.stop(0.5)


class _Watch:
    def __init__(
        self,
        cores: Sequence[CoreServer],
        place: int,
        board: Board | None,
        statsd: tuple[str, str, str] | None,
    ) -> None:
        self._cores = cores
        self._place = place
        self._board = board
        self._statsd = None if statsd is None else Statsd(*statsd)
        self._over = Alarm()
        self._look()
        self._thread = Thread(self._run, "wsgibench-metrics")

    def _run(self) -> None:
        while not self._over.wait(PERIOD):
            self._look()

    def _look(self) -> None:
        metrics = [core.metrics() for core in self._cores]
        if self._board is not None:
            stats = [core.stats() for core in self._cores]
            rows = [flat(*pair) for pair in zip(stats, metrics)]
            self._board.write(self._place, together(rows))
        if self._statsd is not None:
            for each in metrics[1:]:
                _add(metrics[0], each)
            self._statsd.send(metrics[0])

    def end(self) -> None:
        """Before the servers are closed."""
        self._over.set()
        self._thread.join()
        self._look()
        if self._statsd is not None:
            self._statsd.close()

    def page(
        self, environ: dict[str, Any], start_response: Any
    ) -> list[bytes]:
        """The WSGI application of the metrics' listener."""
        if environ["PATH_INFO"] not in ("/metrics", "/"):
            start_response("404 Not Found", [("Content-Type", "text/plain")])
            return [b"Metrics are at /metrics.\n"]
        assert self._board is not None
        rows = [flat(core.stats(), core.metrics()) for core in self._cores]
        self._board.write(self._place, together(rows))
        bounds = self._cores[0].metrics()["bounds_us"]
        text = prometheus.text(self._board.total(), bounds)
        start_response("200 OK", [("Content-Type", prometheus.CONTENT_TYPE)])
        return [text.encode()]


def _add(to: dict[str, Any], other: dict[str, Any]) -> None:
    """Sums of what statsd is told."""
    for name in ("statuses", "duration_us"):
        to[name] = [a + b for a, b in zip(to[name], other[name])]
    to["duration"] = [
        [a + b for a, b in zip(*rows)]
        for rows in zip(to["duration"], other["duration"])
    ]
