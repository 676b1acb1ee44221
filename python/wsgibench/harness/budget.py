"""A run that is to be over within a time: how that is divided.

Every start is given what it needs beside its load and its measured seconds.
What is left over is the warm-up of the starts with a JIT, which take as much
of it as they get.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
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
class Division:
    starts: int
    warmup: float  # seconds of a start with a JIT, at most
    seconds: float  # that all of it is expected to take


def divide(left: float, parts: Sequence[Part], starts: int) -> Division:
    """As many of the `starts` as fit into `left` seconds, the warm-up of a
    JIT long enough; or else a few starts with a shorter one. What is less
    than that takes longer than there is time."""
    for count in range(starts, 0, -1):
        least = SHORTEST if count <= FEW else LONG_ENOUGH
        warmup = _warmup(left / count, parts)
        if warmup >= least or count <= min(FEWEST, starts):
            warmup = max(SHORTEST, warmup)
            seconds = count * sum(one.seconds(warmup) for one in parts)
            return Division(count, warmup, seconds)
    return Division(0, 0.0, 0.0)


def _warmup(block: float, parts: Sequence[Part]) -> float:
    """Seconds for each part with a JIT in a block of so many seconds."""
    fixed = sum(one.seconds(0.0) for one in parts)
    own = sum(1 for one in parts if one.is_jit and one.load.settle)
    if not own:
        return LONG_ENOUGH if fixed <= block else 0.0
    return (block - fixed) / own


class Budget:
    """Counts from when it is made."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._end = time.monotonic() + seconds

    def left(self) -> float:
        return max(0.0, self._end - time.monotonic())
