"""How many starts a wanted precision takes, from those there are."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from wsgibench.stats import bootstrap, samples, summary
from wsgibench.stats.bootstrap import Interval
from wsgibench.stats.samples import Series

MOST = 1000
#: Starts before it is asked whether they are precise enough. Who asks after
#: each start ends when the interval happens to be narrow: from 3 on it then
#: holds the truth in 90 of 100 runs, from 8 on in 93 to 95.
LEAST = 8


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
        if not known_to(series, half_width):
            return False
    return True


def known_to(starts: Sequence[Series], half_width: float) -> bool:
    """Whether their mean is known to that (0.02 is 2 %)."""
    if len(starts) < LEAST:
        return False
    found = bootstrap.mean(starts)
    return math.log(found.high / found.low) / 2 <= math.log1p(half_width)


#: Reasons against a row that further starts may take away.
TOO_FEW = ("vague", "machine-busy")


def wants_more(cell: dict[str, Any]) -> bool:
    """Whether more starts may tell its CPU per request: there is one, and its
    starts differ, or others disturbed them."""
    doubts = summary.row(cell)["doubts"]
    return any(one["code"] in TOO_FEW for one in doubts)
