"""How many starts a wanted precision takes, from those there are."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from wsgibench.stats import bootstrap, samples, summary
from wsgibench.stats.bootstrap import Interval
from wsgibench.stats.samples import Series

MOST = 1000
LEAST = 3  # starts before their spread means anything


def starts_for(ratio: Interval, margin: float) -> int:
    """So that the interval of a ratio fits into +- `margin`: its width goes
    with the root of the starts (and, a little faster, with Student's t)."""
    half = math.log(ratio.high / ratio.low) / 2
    wanted = math.log1p(max(margin, 0.001))
    count = math.ceil(ratio.starts * (half / wanted) ** 2)
    return min(MOST, max(ratio.starts + 1, count))


def precise(record: dict[str, Any], half_width: float) -> bool:
    """Whether the CPU per request of every cell is known to that."""
    for cell in record["cells"]:
        series = samples.of_cell(cell, "server_cpu_us")
        if len(series) < LEAST:
            return False
        found = bootstrap.mean(series)
        if math.log(found.high / found.low) / 2 > math.log1p(half_width):
            return False
    return True


#: Reasons against a row that further starts may take away.
TOO_FEW = ("vague", "machine-busy")


def wants_more(cell: dict[str, Any]) -> bool:
    """Whether more starts may tell its CPU per request: there is one, and its
    starts differ, or others disturbed them."""
    doubts = summary.row(cell)["doubts"]
    return any(one["code"] in TOO_FEW for one in doubts)


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
