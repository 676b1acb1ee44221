"""Ratios by ranks, for which it does not matter how far off a start is.

A neighbour on the same core, or in the same cache, makes a start dearer by
any amount and never cheaper. One such start among ten moves a mean and
stretches its interval; the median of all the pairs' differences hardly
moves (Hodges and Lehmann, Annals of Mathematical Statistics 34, 1963). Its
interval comes from the Mann-Whitney statistic (Hollander, Wolfe and Chicken,
Nonparametric Statistical Methods, 3rd ed., 4.3) and supposes nothing of how
the starts vary, only that those of both sides do so alike. All of it is done
on logarithms.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from wsgibench.stats.bootstrap import Interval
from wsgibench.stats.samples import Series

#: Starts of a side below which ranks are too coarse: with 8 of each the least
#: p is 2 / 12,870, which is enough for a matrix of some hundred cells.
LEAST = 8


def enough(*sides: Sequence[Series]) -> bool:
    return min(map(len, sides)) >= LEAST


def ratio(
    above: Sequence[Series], below: Sequence[Series], *, level: float = 0.95
) -> Interval:
    """Of two sides that were not measured in pairs."""
    from scipy import stats

    a = np.log([series.value for series in above])
    b = np.log([series.value for series in below])
    pairs = np.sort(np.subtract.outer(a, b), axis=None)
    count = len(pairs)
    error = math.sqrt(count * (len(a) + len(b) + 1) / 12)
    z = float(stats.norm.ppf((1 + level) / 2))
    outside = max(1, math.floor(count / 2 - z * error))
    return Interval(
        math.exp(np.median(pairs)),
        math.exp(pairs[outside - 1]),
        math.exp(pairs[-outside]),
        float(stats.mannwhitneyu(a, b).pvalue),
        min(len(a), len(b)),
    )


def quotient(above: Interval, below: Interval) -> Interval:
    """The ratio of two ratios that are independent of each other: the limits
    are combined by their distances from the estimates (Zou and Donner,
    Statistics in Medicine 27, 2008)."""
    from scipy import stats

    estimate = math.log(above.estimate / below.estimate)
    down = math.hypot(
        math.log(above.estimate / above.low),
        math.log(below.high / below.estimate),
    )
    up = math.hypot(
        math.log(above.high / above.estimate),
        math.log(below.estimate / below.low),
    )
    towards_one = down if estimate > 0 else up
    p = 1.0
    if estimate:
        z = stats.norm.ppf(0.975) * abs(estimate) / max(towards_one, 1e-12)
        p = float(2 * stats.norm.sf(z))
    return Interval(
        math.exp(estimate),
        math.exp(estimate - down),
        math.exp(estimate + up),
        p,
        min(above.starts, below.starts),
    )
