"""kill -9 of a worker under load: it is replaced, and no other worker's
request is lost."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from typing import Any

from tests.faults.case import APP, Start, address_of, answers
from tests.faults.figure import Figure, least, most
from tests.faults.loop_clients import Clients
from tests.native.process import children, until

HELP = "kill -9 of a worker under load: replaced, only its own requests lost"
SMALL: dict[str, Any] = {"times": 2, "clients": 16, "workers": 2}
FULL: dict[str, Any] = {"times": 20, "clients": 32, "workers": 4}


def run(
    start: Start, times: int, clients: int, workers: int
) -> Iterator[Figure]:
    with start(APP, workers=workers) as target:
        assert answers(target)
        slowest = 0.0
        killed: list[int] = []
        with Clients(address_of(target), clients) as load:
            for _ in range(times):
                grow_up()
                until(lambda: busy(load, target.pid), "no worker is busy")
                alive = children(target.pid)
                victim = max(load.answers().items(), key=worth(alive))[0]
                os.kill(victim, signal.SIGKILL)
                killed.append(victim)
                began = time.monotonic()
                until(
                    lambda: len(children(target.pid) - set(killed)) == workers,
                    "the worker was not replaced",
                )
                slowest = max(slowest, time.monotonic() - began)
        seen = load.seen
        others = sum(
            n for worker, n in seen.lost.items() if worker not in killed
        )
        yield most("until a worker is replaced", slowest, 1, "s")
        yield most("lost of other workers", others, 0)
        own = sum(seen.lost[worker] for worker in killed)
        yield most("lost of the killed", own, clients * times)
        yield most("lost at the first", seen.unknown, clients * times)
        yield least("answers", sum(seen.answers.values()), 100 * times)
        assert answers(target)


def grow_up() -> None:
    """A worker that dies young is held to be crashing, and its successor has
    to wait: not the matter here."""
    end = time.monotonic() + 1.1
    until(lambda: time.monotonic() > end, "never")


def busy(load: Clients, parent: int) -> bool:
    """At least one worker of those alive has answered a little."""
    answered = load.answers()
    return any(answered[pid] > 20 for pid in children(parent))


def worth(alive: set[int]) -> Any:
    def key(item: tuple[int, int]) -> int:
        return item[1] if item[0] in alive else -1

    return key
