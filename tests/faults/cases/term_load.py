"""SIGTERM under load: who was accepted is answered."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from typing import Any

from tests.faults.case import APP, Start, address_of, answers
from tests.faults.figure import Figure, least, most
from wsgibench.load.run import run as run_load
from wsgibench.load.spec import LoadSpec

HELP = "SIGTERM under load: no accepted request lost"
SMALL: dict[str, Any] = {"times": 2, "connections": 32}
FULL: dict[str, Any] = {"times": 20, "connections": 64}
MODES: tuple[tuple[str, dict[str, Any]], ...] = (
    ("loop", {}),
    ("threads", {"threads": 4}),
    ("workers", {"workers": 2}),
)
#: Without keep-alive clients connect without a pause, and the kernel may
#: complete a handshake between the server's last accept() and its close() of
#: the listener: that client was never accepted, and is reset. One was seen in
#: a stop; that it is never more is not shown.
UNACCEPTED = 1
#: What a client may see of a server that goes: nobody listens any more.
GONE = ("refused", "unsent", "in_flight", "ok")


def once(
    start: Start, settings: dict[str, Any], keepalive: bool, connections: int
) -> tuple[int, dict[str, int], int]:
    """(answers before the signal and after, classes, exit code)"""
    with start(APP, **settings) as target:
        assert answers(target)
        host, port = address_of(target)
        spec = LoadSpec(
            "http://%s:%d/" % (host, port),
            connections=connections,
            duration=30.0,
            keepalive=keepalive,
            expect_body=b"Hello",
            drain=2.0,
        )
        sent = threading.Event()

        def look(live: dict[str, int]) -> None:
            if live["ok"] > 500 and not sent.is_set():
                sent.set()
                target.process.send_signal(signal.SIGTERM)
            if sent.is_set() and target.process.poll() is not None:
                raise KeyboardInterrupt  # the generator ends its run

        result = run_load(spec, look)
        code = target.process.wait(30)
    classes = {k: v for k, v in result["classes"].items() if v}
    return classes.get("ok", 0), classes, code


def run(start: Start, times: int, connections: int) -> Iterator[Figure]:
    for name, settings in MODES:
        for keepalive in (True, False):
            served = lost = wrong = 0
            for _ in range(times):
                ok, classes, code = once(
                    start, settings, keepalive, connections
                )
                served += ok
                lost += sum(
                    n for kind, n in classes.items() if kind not in GONE
                )
                wrong += code != 0
            where = " (%s, %s)" % (
                name,
                "keep-alive" if keepalive else "no keep-alive",
            )
            yield least("answered" + where, served, 500 * times)
            # Held by the command only ("x"). On a busy machine one stop with
            # threads and no keep-alive lost 32; why is not known. A guess: who
            # sends nothing for a tenth of a second is closed as idle.
            limit = 0 if keepalive else UNACCEPTED * times
            yield most("lost" + where, lost, limit, "x")
            yield most("exits that were not clean" + where, wrong, 0)
