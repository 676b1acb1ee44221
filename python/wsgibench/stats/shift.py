"""Does the cost change while it is measured, and does anybody need to know?

A start is cut in two where that separates its windows best, neither part
shorter than a fifth. The parts differ when the step between them is beyond
what their noise explains, neighbouring windows being alike. A leak is a step
up or a straight line, a JIT at work one down.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from wsgibench.stats.samples import Array

#: Levels that differ by less are one level: too little to choose a server
#: for it, and a machine that is not all ours drifts by as much.
SAME = 0.03
PART = 0.2  # of the windows, at least, on each side of a step
FEWEST = 10  # windows without which nothing is said
#: Standard errors. High, for the best of many places is looked at; a little
#: higher for few windows, which know their noise badly. One start in a
#: hundred that has no step shows one.
SURE, SURE_OF_FEW = 4.5, 18.0


#: Two kinds of starts: the gap between the groups, in widths of either, and
#: starts without which such a gap is found too often by chance.
GAP, FEWEST_STARTS = 2.0, 8


@dataclass(frozen=True)
class Shift:
    at: int  # index of the first window behind it
    size: float  # 0.05: it costs 5 % more from there on
    levels: tuple[float, float]  # before, behind


def _variance(off: Array) -> float:
    """Of the mean of windows, times their number: `off` is what is left of
    each when its level is taken away."""
    square = float(off @ off)
    if square <= 0:
        return 0.0
    count = len(off)
    # What neighbours share; too low by about 1 / n in so few windows.
    alike = float(off[1:] @ off[:-1]) / square + 1 / count
    alike = min(0.9, max(0.0, alike))
    return square / (count - 2) * (1 + alike) / (1 - alike)


def _sure(step: float, variance: float, surest: float) -> float:
    """Standard errors that a step is away from 0; 0.0 if not `surest`."""
    away = abs(step) / max(math.sqrt(variance), 1e-9)
    return away if away > surest else 0.0


def _step(used: Array, done: Array, surest: float) -> Shift | None:
    """The one that is surest."""
    count, weight = len(used), done / done.mean()
    sums, counts = np.cumsum(used), np.cumsum(done)
    least = math.ceil(PART * count)
    found = None
    for at in range(least, count - least + 1):
        before = sums[at - 1] / counts[at - 1]
        behind = (sums[-1] - sums[at - 1]) / (counts[-1] - counts[at - 1])
        step = math.log(behind / before)
        if abs(step) <= math.log(1 + SAME):
            continue
        level = np.where(np.arange(count) < at, before, behind)
        each = _variance(weight * (used / done / level - 1))
        sure = _sure(step, each * (1 / at + 1 / (count - at)), surest)
        if sure:
            surest = sure
            found = Shift(at, behind / before - 1, (before, behind))
    return found


def _trend(used: Array, done: Array, surest: float) -> Shift | None:
    """A straight line through the logarithms; told by its halves."""
    count = len(used)
    costs, time = np.log(used / done), np.arange(count) - (count - 1) / 2
    squares = float(time @ time)
    slope = float(time @ costs) / squares
    if abs(slope) * count / 2 <= math.log(1 + SAME):
        return None
    off = costs - costs.mean() - slope * time
    if not _sure(slope, _variance(off) / squares, surest):
        return None
    at = count // 2
    before = used[:at].sum() / done[:at].sum()
    behind = used[at:].sum() / done[at:].sum()
    return Shift(at, behind / before - 1, (before, behind))


def find(used: Array, done: Array) -> Shift | None:
    """`used`: us of CPU in each window, `done`: requests, none of them 0."""
    if len(used) < FEWEST:
        return None
    surest = SURE + SURE_OF_FEW / len(used)
    return _step(used, done, surest) or _trend(used, done, surest)


def of_costs(costs: Sequence[float]) -> int | None:
    """Where the cost of a request changed, of equally long looks at it."""
    used = np.ones(len(costs))
    found = find(used, used / np.asarray(costs, dtype=float))
    return found.at if found else None


def together(halves: Sequence[float]) -> float:
    """From log(second half / first half) of each of several starts: by what
    part the second half costs more in all of them; 0 where that is not sure
    or no more than SAME."""
    from scipy import stats

    values = np.asarray(halves)
    if len(values) < 3:
        return 0.0
    mean, error = values.mean(), values.std(ddof=1) / math.sqrt(len(values))
    limit = stats.t.ppf(0.995, len(values) - 1) * error
    return math.expm1(mean) if abs(mean) > max(limit, SAME) else 0.0


def kinds(values: Sequence[float]) -> tuple[list[float], list[float]] | None:
    """The values of two groups of starts, if they are of two kinds: at least
    two in each, and a gap between them that noise does not make."""
    ranked = sorted(values)
    if len(ranked) < FEWEST_STARTS:
        return None
    steps = np.diff(np.log(ranked))
    for at in range(2, len(ranked) - 1):
        gap = steps[at - 1]
        within = max(steps[: at - 1].sum(), steps[at:].sum())
        if gap > max(math.log(1 + SAME), GAP * within):
            return ranked[:at], ranked[at:]
    return None
