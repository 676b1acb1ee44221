"""The highest rate that keeps its objectives: exponential steps until one
fails, then halving between the last that held and the first that did not.

A trial of a few seconds has a tail that is known to some ten per cent, and so
may hold or fail by chance. Where the times rise slowly enough with the rate
for that to matter, the last trials are made where a line through all of them
meets the limit, and that is the result.

Pure: what a trial is, its caller knows.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

#: Rates that are searched: below, a server is broken; above, no client is.
LEAST, MOST = 0.5, 2e6
TOLERANCE = 0.02
#: Where halving ends if the strain rises by less than STEEP in between.
NEAR, STEEP = 1.2, 4.0
#: Trials where the line meets the limit.
FITTED = 4
#: ln(strain) in which a trial has its say in the line, and how it fades.
SEEN, FADES = 1.5, 0.8
#: How slowly times may rise with the rate.
FLATTEST = 0.5


@dataclass(frozen=True)
class Trial:
    rate: float  # requests/s asked for
    holds: bool
    #: The worst time by its limit, 1 at the limit; None: not of times.
    strain: float | None = None


@dataclass(frozen=True)
class Capacity:
    rate: float  # requests/s; 0: not even the lowest held
    trials: tuple[Trial, ...]
    is_bound: bool = False  # the client's limit came first


class Search:
    def __init__(self, trial: Callable[[float], Trial]) -> None:
        self._trial = trial
        self.trials: list[Trial] = []

    def holds(self, rate: float) -> bool:
        self.trials.append(self._trial(rate))
        return self.trials[-1].holds

    def bracket(self, first: float) -> tuple[float, float]:
        """(the last that held, the first that did not); 0 or infinity where
        there is none."""
        rate = min(MOST, max(LEAST, first))
        if self.holds(rate):
            while rate < MOST:
                low, rate = rate, min(MOST, 2 * rate)
                if not self.holds(rate):
                    return low, rate
            return rate, math.inf
        while rate > LEAST:
            high, rate = rate, max(LEAST, rate / 2)
            if self.holds(rate):
                return rate, high
        return 0.0, rate

    def halved(
        self, low: float, high: float, until: float
    ) -> tuple[float, float]:
        while high / low > until:
            middle = math.sqrt(low * high)
            if self.holds(middle):
                low = middle
            else:
                high = middle
        return low, high

    def is_steep(self, low: float, high: float) -> bool:
        """The rates tell more than the times do."""
        strains = {one.rate: one.strain for one in self.trials}
        below, above = strains.get(low), strains.get(high)
        return not below or not above or above > STEEP * below

    def fitted(self, low: float, high: float) -> float:
        for _ in range(FITTED):
            self.holds(min(high, max(low, fit(self.trials))))
        return min(high, max(low, fit(self.trials)))


def search(
    trial: Callable[[float], Trial],
    first: float,
    tolerance: float = TOLERANCE,
) -> Capacity:
    """`first`: where to begin, about half of what may be."""
    made = Search(trial)
    low, high = made.bracket(first)
    if not low or math.isinf(high):
        return Capacity(low, tuple(made.trials), math.isinf(high))
    ends = low, high
    low, high = made.halved(low, high, max(NEAR, 1 + tolerance))
    if not made.is_steep(low, high):
        rate = made.fitted(*ends)
        return Capacity(rate, tuple(made.trials))
    low, high = made.halved(low, high, 1 + tolerance)
    return Capacity(between(made.trials, low, high), tuple(made.trials))


def between(trials: Sequence[Trial], low: float, high: float) -> float:
    """Where the strain would be 1, by a straight line on logarithms between
    the two ends; the middle where it is not known."""
    strains = {one.rate: one.strain for one in trials}
    below, above = strains.get(low), strains.get(high)
    if not below or not above or not below <= 1 <= above or below == above:
        return math.sqrt(low * high)
    part = math.log(1 / below) / math.log(above / below)
    return float(low * (high / low) ** part)


def fit(trials: Sequence[Trial]) -> float:
    """The same by all trials: least squares on logarithms, those near the
    limit weighing most."""
    points = [
        (math.log(one.rate), max(-SEEN, min(SEEN, math.log(one.strain))))
        for one in trials
        if one.strain
    ]
    weights = [math.exp(-((y / FADES) ** 2)) for _, y in points]
    total = sum(weights)
    x = sum(w * p[0] for w, p in zip(weights, points)) / total
    y = sum(w * p[1] for w, p in zip(weights, points)) / total
    spread = sum(w * (p[0] - x) ** 2 for w, p in zip(weights, points))
    both = sum(w * (p[0] - x) * (p[1] - y) for w, p in zip(weights, points))
    # Times do not fall as the rate rises; by chance they may seem to.
    slope = max(FLATTEST, both / max(spread, 1e-9))
    return math.exp(x - y / slope)
