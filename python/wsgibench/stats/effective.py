"""How far neighbouring windows are alike."""

from __future__ import annotations

import numpy as np

from wsgibench.stats.samples import Array


def autocorrelation_time(values: Array) -> float:
    """1 + 2 sum rho(k), summed while pairs of neighbouring terms stay
    positive (Geyer 1992, initial positive sequence); at least 1."""
    n = len(values)
    centred = values - values.mean() if n else values
    variance = float(centred @ centred)
    if n < 4 or variance <= 1e-24 * max(1.0, float(values @ values)):
        return 1.0
    rho = np.correlate(centred, centred, "full")[n - 1 :] / variance
    total = -1.0
    for lag in range(0, n - 1, 2):
        pair = float(rho[lag] + rho[lag + 1])
        if pair <= 0:
            break
        total += 2 * pair
    return min(max(1.0, total), float(n))


def block_length(values: Array) -> int:
    """For a moving-block bootstrap: long enough to hold what neighbours
    share, short enough to leave four blocks."""
    wanted = int(np.ceil(2 * autocorrelation_time(values))) - 1
    return max(1, min(wanted, len(values) // 4))
