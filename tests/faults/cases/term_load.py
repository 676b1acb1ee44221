"""SIGTERM under load: who was accepted is answered."""

from __future__ import annotations

import re
import signal
import threading
import time
from collections.abc import Iterator
from typing import Any

from tests.faults.case import APP, Start, address_of, answers
from tests.faults.figure import Figure, least, most
from tests.wire.kernel import may_filter
from tests.wire.target import Target
from wsgibench.load.run import run as run_load
from wsgibench.load.spec import LoadSpec

HELP = "SIGTERM under load: no accepted request lost"
SMALL: dict[str, Any] = {"times": 2, "connections": 32}
FULL: dict[str, Any] = {"times": 20, "connections": 64}
#: A socket that the server made: it lets no one in any more before it accepts
#: for the last time. One that it inherited may be of use to others, is not
#: touched, and loses who came between the last accept() and its close.
OWN = "127.0.0.1:0"
MODES: tuple[tuple[str, dict[str, Any]], ...] = (
    ("loop", {}),
    ("threads", {"threads": 4}),
    ("workers", {"workers": 2}),
    ("two addresses", {"bind": [OWN, OWN]}),
)
#: What a client may see of a server that goes: nobody listens any more.
GONE = ("refused", "unsent", "in_flight", "ok")
#: Clients of a stop in the middle of their handshake, of a user whom the
#: kernel lets put no filter on a socket: it cannot be kept from them.
UNSEALED = 8


def told(target: Target) -> tuple[str, int]:
    """Where it says that it serves."""
    end = time.monotonic() + 60
    while time.monotonic() < end and target.alive:
        found = re.search(r"serving on http://(.+):(\d+) ", target.log_text())
        if found:
            return found[1], int(found[2])
        time.sleep(0.02)
    raise AssertionError(target.log_text())


def once(
    start: Start, settings: dict[str, Any], keepalive: bool, connections: int
) -> tuple[int, dict[str, int], int]:
    """(answers before the signal and after, classes, exit code)"""
    with start(APP, **{"bind": OWN, **settings}) as target:
        target.address = told(target)
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
            may_lose = 0 if keepalive or may_filter() else UNSEALED * times
            yield most("lost" + where, lost, may_lose)
            yield most("exits that were not clean" + where, wrong, 0)
