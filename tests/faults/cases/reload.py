"""gunicorn reloads our workers under load, again and again: no connection is
lost, for the socket stays open and the old workers finish."""

from __future__ import annotations

import contextlib
import importlib.util
import signal
import socket
import time
from collections.abc import Iterator
from typing import Any

from tests.faults.case import Start
from tests.faults.figure import Figure, least, most
from tests.native.process import Program, gunicorn_command, programs
from wsgibench.load.run import run as run_load
from wsgibench.load.spec import LoadSpec

HELP = "SIGHUP to gunicorn with our worker, under load: nothing is lost"
SMALL: dict[str, Any] | None = {"times": 3, "connections": 8}
if importlib.util.find_spec("gunicorn") is None:
    SMALL = None
FULL: dict[str, Any] = {"times": 100, "connections": 32}
APP = "tests.faults.app:application"


def gunicorn(stack: contextlib.ExitStack, fd: int) -> Program:
    start = stack.enter_context(programs())
    return start(
        [*gunicorn_command("fd://%d" % fd), "--workers=2", APP],
        {},
        None,
        (fd,),
    )


def booted(program: Program) -> int:
    return program.text.count("Booting worker")


def once(keepalive: bool, times: int, connections: int) -> dict[str, int]:
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        listener.listen(2048)
        program = gunicorn(stack, listener.fileno())
        program.line("Booting worker")
        port = listener.getsockname()[1]
        listener.close()
        sent = 0
        end: list[float] = []

        def look(live: dict[str, int]) -> None:
            nonlocal sent
            # The next reload when the workers of the last one are there.
            if live["ok"] > 0 and booted(program) >= 2 * (sent + 1):
                if sent < times:
                    program.process.send_signal(signal.SIGHUP)
                    sent += 1
                elif not end:
                    end.append(time.monotonic() + 1)
            if end and time.monotonic() > end[0]:
                raise KeyboardInterrupt  # the generator ends its run

        result = run_load(
            LoadSpec(
                "http://127.0.0.1:%d/" % port,
                connections=connections,
                duration=3600.0,
                keepalive=keepalive,
                expect_body=b"Hello",
                timeout=60.0,
            ),
            look,
        )
        program.stop()
    return {kind: n for kind, n in result["classes"].items() if n}


def run(start: Start, times: int, connections: int) -> Iterator[Figure]:
    for keepalive in (True, False):
        classes = once(keepalive, times, connections)
        lost = sum(
            n
            for kind, n in classes.items()
            if kind not in ("ok", "unsent", "in_flight")
        )
        where = " (keep-alive)" if keepalive else " (no keep-alive)"
        yield least("answered" + where, classes.get("ok", 0), 100 * times)
        yield most("lost" + where, lost, 0)
