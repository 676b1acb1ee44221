"""How fast a CPU is at the moment: the time of a fixed piece of work on it.

Another guest on the same core of the host makes a server's request up to a
half dearer, and shows neither as stolen time nor as pressure. It makes this
work (csrc/load/yardstick.c) dearer, too. A look is taken right before and
right after a load, while the server rests: during the load it would take CPU
from it.
"""

from __future__ import annotations

import functools
import os
import statistics
import threading
import time
from dataclasses import dataclass

from wsgibench import native

#: Seconds of a look. A host moves its guests many times a second; a look has
#: to see some of that.
LOOK = 0.1
#: Looks that tell how fast the CPU is by itself, before the first load.
FIRST = 8


@dataclass(frozen=True)
class Reading:
    """Microseconds, the mean of a look."""

    now: float
    usual: float  # the quarter of the looks so far that were fastest

    def to_json(self) -> dict[str, float]:
        return {"now_us": self.now, "usual_us": self.usual}


class Yardstick:
    """Of one CPU; remembers what it saw."""

    def __init__(self, cpu: int | None, seconds: float = LOOK) -> None:
        self._cpu = cpu
        self._seconds = seconds
        self._seen: list[float] = []

    def read(self) -> Reading:
        for _ in range(1 if self._seen else FIRST):
            self._seen.append(look(self._cpu, self._seconds))
        quartile = sorted(self._seen)[len(self._seen) // 4]
        return Reading(self._seen[-1], quartile)


@functools.cache
def of(cpu: int | None) -> Yardstick:
    """This process's."""
    return Yardstick(cpu)


def look(cpu: int | None, seconds: float = LOOK) -> float:
    """Microseconds that the work takes on this CPU, or on whichever."""
    found: list[int] = []

    def measure() -> None:
        if cpu is not None:
            os.sched_setaffinity(0, {cpu})  # on Linux: of this thread alone
        yardstick = native.binding().LoadGenerator.yardstick
        end = time.monotonic() + seconds
        while not found or time.monotonic() < end:
            found.append(yardstick())

    thread = threading.Thread(target=measure)
    thread.start()
    thread.join()
    return statistics.mean(found) / 1e3
