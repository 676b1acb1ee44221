"""A run that is to be over within a time: how that is allocated.

Every start is given what it needs beside its load and its measured seconds.
What is left over is the warm-up of the starts with a JIT, which take as much
of it as they get. Starts that took longer than planned shorten the warm-up of
those that come.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from wsgibench.harness.plan import Load
from wsgibench.harness.progress import BESIDE, SETTLING

#: Starts without which an answer has no interval, or a poor one.
FEWEST, FEW = 2, 3
#: Seconds of warm-up in which a JIT compiles what is called all the time, and
#: in which most applications have settled.
SHORTEST, LONG_ENOUGH = 3.0, 10.0


@dataclass(frozen=True)
class Part:
    """Of every block: a start of a server, or the application alone."""

    load: Load
    is_jit: bool

    def seconds(self, warmup: float) -> float:
        """`warmup`: of a JIT, where the load does not say it."""
        most = self.load.settle
        settling = min(most, warmup if self.is_jit else SETTLING)
        return self.load.warmup + settling + self.load.duration + BESIDE


@dataclass(frozen=True)
class Allocation:
    starts: int
    warmup: float  # seconds of a start with a JIT, at most
    seconds: float  # that all of it is expected to take


def allocate(left: float, parts: Sequence[Part], starts: int) -> Allocation:
    """As many of the `starts` as fit into `left` seconds, the warm-up of a
    JIT long enough; or else a few starts with a shorter one. What is less
    than that takes longer than there is time."""
    for count in range(starts, 0, -1):
        least = SHORTEST if count <= FEW else LONG_ENOUGH
        warmup = _warmup(left / count, parts)
        if warmup >= least or count <= min(FEWEST, starts):
            warmup = max(SHORTEST, warmup)
            seconds = count * sum(one.seconds(warmup) for one in parts)
            return Allocation(count, warmup, seconds)
    return Allocation(0, 0.0, 0.0)


def _warmup(block: float, parts: Sequence[Part]) -> float:
    """Seconds for each part with a JIT in a block of so many seconds."""
    fixed = sum(one.seconds(0.0) for one in parts)
    own = sum(1 for one in parts if one.is_jit and one.load.settle)
    if not own:
        return LONG_ENOUGH if fixed <= block else 0.0
    return (block - fixed) / own


class Pace:
    """The parts of a run, one after the other, in what is left of its time."""

    def __init__(
        self, parts: Sequence[Part], most: float, left: Callable[[], float]
    ) -> None:
        """`most`: seconds of warm-up that the allocation gave a JIT; `left()`:
        seconds until the run is to be over."""
        self._parts = list(parts)
        self._most = most
        self._left = left
        self._done = 0
        self._late = 0.0  # seconds, of all that are done

    def warmup(self) -> float:
        """Seconds, at most, of the part that comes now."""
        rest = self._parts[self._done :]
        late = self._late / max(1, self._done)
        found = _warmup(self._left() - late * len(rest), rest)
        return min(self._most, max(SHORTEST, found))

    def took(self, seconds: float, warmup: float, count: int = 1) -> None:
        """So many parts, warmed up for that long at most."""
        parts = self._parts[self._done : self._done + count]
        self._late += seconds - sum(one.seconds(warmup) for one in parts)
        self._done += count


def begun() -> float:
    """When the user gave the command, in seconds since the machine started:
    ./bench says so, whose set-up counts."""
    handed = os.environ.get("WSGIBENCH_BEGAN", "")
    try:
        return float(handed)
    except ValueError:
        with open("/proc/self/stat") as file:
            ticks = file.read().rpartition(")")[2].split()[19]
        return int(ticks) / os.sysconf("SC_CLK_TCK")


class Budget:
    """Counts from `since`: as begun() tells it, now by default."""

    def __init__(self, seconds: float, since: float | None = None) -> None:
        self.seconds = seconds
        now = time.clock_gettime(time.CLOCK_BOOTTIME)
        self._end = seconds + (now if since is None else min(since, now))

    def left(self) -> float:
        return max(0.0, self._end - time.clock_gettime(time.CLOCK_BOOTTIME))
