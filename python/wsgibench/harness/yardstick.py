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
import threading
import time
from dataclasses import dataclass

from wsgibench import native, verdicts

LOOK = 0.1  # seconds


@dataclass(frozen=True)
class Reading:
    """Microseconds."""

    now: float
    usual: float  # the lower quartile of the looks before
    cpu: int | None = None

    def to_json(self) -> dict[str, float]:
        which = {} if self.cpu is None else {"cpu": self.cpu}
        return {**which, "now_us": self.now, "usual_us": self.usual}


class Yardstick:
    """Of one CPU; remembers what it saw."""

    def __init__(self, cpu: int | None) -> None:
        self._cpu = cpu
        self._seen: list[float] = []

    def looks(self) -> list[float]:
        """Microseconds; the first so many, if there were none."""
        while len(self._seen) < verdicts.FEW_LOOKS:
            self._seen.append(look(self._cpu))
        return self._seen

    def read(self) -> Reading:
        usual = verdicts.usual(self.looks())
        self._seen.append(look(self._cpu))
        return Reading(self._seen[-1], usual, self._cpu)

    def slower(self) -> float:
        """By which part it is slower than usual now. Not remembered: who
        waits looks mostly while it is slow."""
        return look(self._cpu) / verdicts.usual(self.looks()) - 1


@functools.cache
def of(cpu: int | None) -> Yardstick:
    """This process's."""
    return Yardstick(cpu)


def look(cpu: int | None, seconds: float = LOOK) -> float:
    """Microseconds that the work takes on this CPU, or on whichever: the
    lower quartile, for what interrupts it for a moment (a worker of the
    server that ends, a timer) leaves cold caches behind."""
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
    return verdicts.usual(found) / 1e3
