"""The highest rate that keeps its objectives: exponential steps until one
fails, then halving between the last that held and the first that did not.

Pure: what a trial is, its caller knows.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

#: Rates that are searched: below, a server is broken; above, no client is.
LEAST, MOST = 0.5, 2e6
TOLERANCE = 0.02


@dataclass(frozen=True)
class Trial:
    rate: float  # requests/s asked for
    holds: bool
    #: The worst time by its limit, 1 at the limit; None: not of times.
    strain: float | None = None


@dataclass(frozen=True)
class Found:
    rate: float  # requests/s; 0: not even the lowest held
    trials: tuple[Trial, ...]
    is_bound: bool = False  # the client's limit came first


def search(
    trial: Callable[[float], Trial],
    first: float,
    tolerance: float = TOLERANCE,
) -> Found:
    """`first`: where to begin, about half of what may be."""
    trials: list[Trial] = []

    def holds(rate: float) -> bool:
        trials.append(trial(rate))
        return trials[-1].holds

    rate = min(MOST, max(LEAST, first))
    if holds(rate):
        low = rate
        while True:
            if low >= MOST:
                return Found(low, tuple(trials), True)
            rate = min(MOST, 2 * low)
            if not holds(rate):
                break
            low = rate
        high = rate
    else:
        high = rate
        while True:
            if high <= LEAST:
                return Found(0.0, tuple(trials))
            rate = max(LEAST, high / 2)
            if holds(rate):
                break
            high = rate
        low = rate
    while high / low > 1 + tolerance:
        middle = math.sqrt(low * high)
        if holds(middle):
            low = middle
        else:
            high = middle
    return Found(between(trials, low, high), tuple(trials))


def between(trials: Sequence[Trial], low: float, high: float) -> float:
    """Where the strain would be 1, by a straight line on logarithms between
    the two ends; the middle where it is not known."""
    strains = {one.rate: one.strain for one in trials}
    below, above = strains.get(low), strains.get(high)
    if not below or not above or not below <= 1 <= above or below == above:
        return math.sqrt(low * high)
    part = math.log(1 / below) / math.log(above / below)
    return float(low * (high / low) ** part)
