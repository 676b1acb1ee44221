"""Intervals by a two-level bootstrap: starts, then blocks of windows.

A start (a server process) is what is repeated, so the starts are drawn
with replacement; inside a start, moving blocks of windows are drawn, since
neighbouring windows are alike (Kalibera and Jones, ISMM 2013). A plain
two-level bootstrap counts the noise of the windows twice, once in the drawn
windows and once in the spread of the starts' values, so the latter is shrunk
to what is left of it (Davison and Hinkley 1997, 3.8). With few starts
percentiles are too narrow; they are stretched to Student's t (Hesterberg,
The American Statistician 69:4, 2015). All of it is done on logarithms: a
ratio and its inverse get the same verdict.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from wsgibench.stats.effective import block_length
from wsgibench.stats.samples import Array, Series

RESAMPLES = 4000
NOISE_DRAWS = 400  # of each start's windows; resamples pick among them


@dataclass(frozen=True)
class Interval:
    estimate: float
    low: float
    high: float
    p: float  # of the hypothesis that the estimate is 1; a ratio's only
    starts: int  # of the side that has fewer

    @property
    def inverse(self) -> Interval:
        return Interval(
            1 / self.estimate,
            1 / self.high,
            1 / self.low if self.low else math.inf,
            self.p,
            self.starts,
        )

    @property
    def known(self) -> bool:
        """False for a single start: it says nothing of others."""
        return math.isfinite(self.high)


@dataclass(frozen=True)
class _Side:
    """Logarithms of one side: its starts' values, and draws of their
    windows' noise around them (starts x resamples)."""

    values: Array
    noise: Array

    @property
    def variance(self) -> float:
        return float(self.values.var(ddof=1))


def _noise(series: Series, rng: np.random.Generator, size: int) -> Array:
    """Draws of log(value of resampled windows / value)."""
    count = len(series.above)
    if count < 8:
        return np.zeros(size)
    length = block_length(series.each)
    blocks = count - length + 1
    drawn = rng.integers(blocks, size=(size, -(-count // length)))

    def total(values: Array) -> Array:
        edges = np.concatenate(([0.0], np.cumsum(values)))
        found: Array = (edges[length:] - edges[:-length])[drawn].sum(axis=1)
        return found

    above, below = total(series.above), total(series.below)
    fine = (above > 0) & (below > 0)
    quotient = np.where(fine, above, 1.0) / np.where(fine, below, 1.0)
    found = np.where(fine, np.log(quotient / series.value), 0.0)
    return np.asarray(found - found.mean(), dtype=float)


def _side(starts: Sequence[Series], rng: np.random.Generator) -> _Side:
    return _Side(
        np.log([series.value for series in starts]),
        np.array([_noise(one, rng, NOISE_DRAWS) for one in starts]),
    )


def _draw(side: _Side, rng: np.random.Generator, size: int) -> Array:
    """Means of resampled starts, of the variance s^2 / n."""
    count, draws = side.noise.shape
    mean = side.values.mean()
    spread = side.variance
    within = float(side.noise.var(axis=1).mean())
    if spread <= 0:
        return np.full(size, mean)
    left = math.sqrt(max(0.0, 1 - within / spread) * count / (count - 1))
    fade = math.sqrt(min(1.0, spread / within)) if within else 0.0
    chosen = rng.integers(count, size=(size, count))
    other = rng.integers(draws, size=(size, count))
    drawn = left * (side.values - mean)[chosen]
    drawn += fade * side.noise[chosen, other]
    return np.asarray(mean + drawn.mean(axis=1))


def _finish(
    estimate: float, drawn: Array, df: float, starts: int, level: float
) -> Interval:
    from scipy import stats

    tail = (1 - level) / 2
    stretch = stats.t.ppf(1 - tail, df) / stats.norm.ppf(1 - tail)
    low, high = np.quantile(drawn, (tail, 1 - tail))
    error = float(drawn.std())
    if error > 0:
        p = float(2 * stats.t.sf(abs(estimate) / error, df))
    else:
        p = 1.0 if estimate == 0 else 0.0

    def back(value: float) -> float:
        return math.exp(min(700.0, max(-700.0, value)))

    return Interval(
        back(estimate),
        back(estimate + (low - estimate) * stretch),
        back(estimate + (high - estimate) * stretch),
        p,
        starts,
    )


def _unknown(estimate: float, starts: int) -> Interval:
    return Interval(math.exp(estimate), 0.0, math.inf, 1.0, starts)


def mean(
    starts: Sequence[Series],
    *,
    seed: int = 1,
    level: float = 0.95,
    resamples: int = RESAMPLES,
) -> Interval:
    """The geometric mean over the starts."""
    rng = np.random.default_rng(seed)
    side = _side(starts, rng)
    estimate = float(side.values.mean())
    if len(starts) < 2:
        return _unknown(estimate, len(starts))
    drawn = _draw(side, rng, resamples)
    return _finish(estimate, drawn, len(starts) - 1, len(starts), level)


def ratio(
    above: Sequence[Series],
    below: Sequence[Series],
    *,
    paired: bool,
    seed: int = 1,
    level: float = 0.95,
    resamples: int = RESAMPLES,
) -> Interval:
    """`paired` when start i of both ran in one block, so that what drifts
    with time falls out."""
    rng = np.random.default_rng(seed)
    a = _side(above, rng)
    b = _side(below, rng)
    return _difference(a, b, paired, rng, level, resamples)


def relative(
    sides: Sequence[tuple[Sequence[Series], Sequence[Series]]],
    *,
    seed: int = 1,
    level: float = 0.95,
    resamples: int = RESAMPLES,
) -> Interval:
    """(a / reference of a) / (b / reference of b): two runs, each measured
    against something that was in both of them, paired in their blocks."""
    rng = np.random.default_rng(seed)
    found = []
    for starts, reference in sides:
        one = _side(starts, rng)
        base = _side(reference, rng)
        found.append(_against(one, base))
    return _difference(found[0], found[1], False, rng, level, resamples)


def _against(side: _Side, base: _Side) -> _Side:
    return _Side(side.values - base.values, side.noise - base.noise)


def _difference(
    a: _Side,
    b: _Side,
    paired: bool,
    rng: np.random.Generator,
    level: float,
    resamples: int,
) -> Interval:
    estimate = float(a.values.mean() - b.values.mean())
    starts = min(len(a.values), len(b.values))
    if starts < 2:
        return _unknown(estimate, starts)
    if paired:
        drawn = _draw(_against(a, b), rng, resamples)
        return _finish(estimate, drawn, starts - 1, starts, level)
    drawn = _draw(a, rng, resamples)
    drawn = drawn - _draw(b, rng, resamples)
    return _finish(estimate, drawn, welch(a, b), starts, level)


def welch(a: _Side, b: _Side) -> float:
    """Degrees of freedom of two sides that vary differently."""
    va = a.variance / len(a.values)
    vb = b.variance / len(b.values)
    if va + vb <= 0:
        return float(len(a.values) + len(b.values) - 2)
    below = va * va / (len(a.values) - 1) + vb * vb / (len(b.values) - 1)
    return (va + vb) ** 2 / below
