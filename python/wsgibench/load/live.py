"""Who follows a run: a line on a terminal, NDJSON, Prometheus."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Iterator
from typing import TextIO

from wsgibench.errors import UsageError
from wsgibench.load.generator import Live, OnLive
from wsgibench.load.output import time_text
from wsgibench.load.target import MAX_PORT
from wsgibench.load.values import whole

EACH_NS = 950_000_000  # live figures come each 0.2 s


def line(live: Live, before: Live) -> str:
    """Rate over the last interval, the rest so far."""
    elapsed = live["elapsed_ns"] - before.get("elapsed_ns", 0)
    done = live["ok"] - before.get("ok", 0)
    return "%5.1f s  %8.0f/s  p50 %s  p99 %s  %d ok  %d failed  %d open" % (
        live["elapsed_ns"] / 1e9,
        done / max(elapsed / 1e9, 1e-9),
        time_text(live["p50_ns"]),
        time_text(live["p99_ns"]),
        live["ok"],
        live["failed"],
        live["connected"],
    )


@contextlib.contextmanager
def following(
    wanted: bool, ndjson: str = "", prometheus: str = ""
) -> Iterator[OnLive | None]:
    """What ``run`` calls now and then; None when nothing is to be shown.
    ``ndjson``: a file, or "-"; ``prometheus``: where to serve,
    ``[HOST]:PORT``."""
    with contextlib.ExitStack() as stack:
        watchers = [
            stack.enter_context(one)
            for one in (
                _terminal(wanted),
                _lines(ndjson),
                _exporter(prometheus),
            )
        ]
        active = [one for one in watchers if one is not None]

        def tell(live: Live) -> None:
            for watcher in active:
                watcher(live)

        yield tell if active else None


def _closed(file: TextIO) -> None:
    with contextlib.suppress(OSError):
        file.close()


@contextlib.contextmanager
def _lines(path: str) -> Iterator[OnLive | None]:
    """One JSON a line, each second, at once: for ``tail -f`` and pipes."""
    if not path:
        yield None
        return
    last = 0
    with contextlib.ExitStack() as stack:
        file = sys.stdout
        if path != "-":
            file = open(path, "w", encoding="utf-8")
            stack.callback(_closed, file)

        def write(live: Live) -> None:
            nonlocal last
            if live["elapsed_ns"] < last:
                last = 0  # the next run of a sweep
            if live["elapsed_ns"] - last >= EACH_NS:
                last = live["elapsed_ns"]
                # A reader that went, or a disk that is full: the run goes on.
                with contextlib.suppress(OSError):
                    print(json.dumps(live), file=file, flush=True)

        yield write


def metrics(live: Live) -> str:
    """In Prometheus' text format 0.0.4."""
    lines = []
    for name, kind, value in (
        ("requests_total", "counter", live.get("sent", 0)),
        ("ok_total", "counter", live.get("ok", 0)),
        ("failed_total", "counter", live.get("failed", 0)),
        ("connections", "gauge", live.get("connected", 0)),
        ("elapsed_seconds", "gauge", live.get("elapsed_ns", 0) / 1e9),
        ("response_p50_seconds", "gauge", live.get("p50_ns", 0) / 1e9),
        ("response_p99_seconds", "gauge", live.get("p99_ns", 0) / 1e9),
    ):
        lines.append("# TYPE wsgibench_load_%s %s" % (name, kind))
        lines.append("wsgibench_load_%s %s" % (name, repr(value)))
    return "\n".join([*lines, ""])


@contextlib.contextmanager
def _exporter(where: str) -> Iterator[OnLive | None]:
    if not where:
        yield None
        return
    import http.server
    import socket
    import threading

    host, _, port = where.rpartition(":")
    host = host.strip("[]") or "127.0.0.1"
    current: Live = {}

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = metrics(current).encode("ascii")
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    class Server(http.server.ThreadingHTTPServer):
        address_family = socket.AF_INET6 if ":" in host else socket.AF_INET

        def handle_error(self, *_: object) -> None:
            """Who asked has gone."""

    number = whole(port, MAX_PORT)
    if number is None:
        raise UsageError("%r is not a place like :9095." % where)
    try:
        server = Server((host, number), Handler)
    except OSError as error:
        raise UsageError(
            "cannot serve metrics at %r: %s." % (where, error)
        ) from error
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield current.update
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextlib.contextmanager
def _terminal(wanted: bool) -> Iterator[OnLive | None]:
    if not wanted or not sys.stderr.isatty():
        yield None
        return
    try:
        from rich.console import Console
        from rich.status import Status
    except ImportError:  # an extra: wsgibench[bench]
        yield None
        return
    before: Live = {}

    def show(live: Live) -> None:
        if live["elapsed_ns"] < before.get("elapsed_ns", 0):
            before.clear()  # the next run of a sweep
        if live["elapsed_ns"] - before.get("elapsed_ns", 0) >= EACH_NS:
            status.update(line(live, before))
            before.update(live)

    with Status("starting", console=Console(stderr=True)) as status:
        yield show
