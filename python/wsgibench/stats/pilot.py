"""How many starts a wanted precision takes, from those there are."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from wsgibench.stats.samples import Series

MOST = 1000


def starts_needed(
    starts: Sequence[Series], half_width: float, level: float = 0.95
) -> int | None:
    """For an interval of the mean of +- `half_width` (0.02 is 2 %); None
    when there are too few starts to know how they vary."""
    from scipy import stats

    if len(starts) < 2:
        return None
    spread = float(np.std(np.log([one.value for one in starts]), ddof=1))
    wanted = math.log1p(half_width)
    for count in range(2, MOST):
        t = float(stats.t.ppf((1 + level) / 2, count - 1))
        if t * spread / math.sqrt(count) <= wanted:
            return count
    return MOST
