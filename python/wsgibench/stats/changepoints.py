"""Where the mean of a row of windows changes.

Optimal partitioning with a squared-error cost and a penalty for each
change (Jackson et al. 2005, the exact answer that PELT prunes). The noise is
taken from neighbours' differences, which a change of level hardly touches;
lone spikes are taken out first by a running median of three, which keeps
edges where they are.
"""

from __future__ import annotations

import math

import numpy as np

from wsgibench.stats.samples import Array

#: Penalty in units of noise^2 log n. 2 is BIC; 3 finds about one change in a
#: hundred rows that have none.
PENALTY = 3.0
SHORTEST = 3  # windows between two changes
LEVELS = 0.05  # of all steps, that may be changes of level


def noise(values: Array) -> float:
    """Standard deviation of the windows around their level."""
    if len(values) < 2:
        return 0.0
    steps = np.sort(np.abs(np.diff(values)))
    middle = float(np.median(steps))
    if middle:
        return middle / (0.6744897501960817 * math.sqrt(2))
    # Most neighbours are equal: the others are the noise, but for the largest,
    # which may be changes of level.
    steps = steps[: len(steps) - math.ceil(LEVELS * len(steps))]
    return float(np.sqrt(np.mean(steps**2) / 2)) if len(steps) else 0.0


def _calm(values: Array) -> Array:
    stacked = np.stack([values[:-2], values[1:-1], values[2:]])
    middle = np.median(stacked, axis=0)
    return np.concatenate((values[:1], middle, values[-1:]))


def find(values: Array, penalty: float = PENALTY) -> list[int]:
    """Indices at which a new level begins, in order; [] for one level."""
    count = len(values)
    if count < 2 * SHORTEST:
        return []
    # From few windows the noise is not known well, and often too low.
    scale = noise(values) * (1 + 4 / count)
    if scale <= 0:
        scale = 1e-6 * max(1e-12, float(np.abs(values).max()))
    calm = _calm(values) / scale
    sums = np.concatenate(([0.0], np.cumsum(calm)))
    squares = np.concatenate(([0.0], np.cumsum(calm * calm)))
    price = penalty * math.log(count)
    best = np.full(count + 1, math.inf)
    best[0] = -price
    came_from = np.zeros(count + 1, dtype=int)
    for end in range(SHORTEST, count + 1):
        begin = np.arange(0, end - SHORTEST + 1)
        total = sums[end] - sums[begin]
        error = squares[end] - squares[begin] - total**2 / (end - begin)
        cost = best[begin] + error + price
        came_from[end] = int(np.argmin(cost))
        best[end] = cost[came_from[end]]
    found = []
    place = int(came_from[count])
    while place > 0:
        found.append(place)
        place = int(came_from[place])
    return found[::-1]
