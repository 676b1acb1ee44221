"""A worker that hangs under load: it is ended, and the others go on."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from typing import Any

from tests.faults.case import APP, Start, address_of, answers
from tests.faults.figure import Figure, least, most
from tests.faults.loop_clients import HANG, Clients
from tests.native.process import until
from tests.wire.target import Target, receive_all
from wsgibench.audit.wire.exchange import connect

HELP = "a worker that hangs: ended and replaced, the others unaffected"
SMALL: dict[str, Any] = {"times": 1, "clients": 8, "timeout": 1.0}
FULL: dict[str, Any] = {"times": 10, "clients": 32, "timeout": 5.0}


def await_answers(load: Clients, more: int) -> None:
    wanted = sum(load.answers().values()) + more
    until(lambda: sum(load.answers().values()) >= wanted, "no answers")


def await_line(target: Target, words: str, times: int) -> None:
    until(lambda: target.log_text().count(words) >= times, "no " + words)


def run(
    start: Start, times: int, clients: int, timeout: float
) -> Iterator[Figure]:
    with start(APP, workers=2, hang_timeout=timeout) as target:
        assert answers(target)
        longest = 0.0
        with Clients(address_of(target), clients) as load:
            for number in range(times):
                await_answers(load, 50)
                began = time.monotonic()
                with contextlib.closing(connect(target.address, 60)) as sock:
                    sock.sendall(HANG)
                    receive_all(sock)  # until it is cut off
                longest = max(longest, time.monotonic() - began)
                await_line(target, "been stuck", number + 1)
                await_answers(load, 50)  # the others go on
        text = target.log_text()
        ended = {
            int(line.split("worker ")[1].split()[0])
            for line in text.splitlines()
            if "been stuck" in line
        }
        others = sum(
            n for worker, n in load.seen.lost.items() if worker not in ended
        )
        yield most("longest until it is ended", longest, timeout + 2, "s")
        yield most("lost of other workers", others, 0)
        yield least("stacks in the log", text.count("in application"), times)
        yield most("workers ended in all", len(ended), times)
