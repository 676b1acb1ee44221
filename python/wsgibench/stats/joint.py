"""The mean of several ratios of two runs, which are not independent.

Rows that are held against one null share what it varied by, and all starts of
a block share what the machine did. So what is repeated is the block: it has
one value, of all its rows, and two runs differ by these values as two servers
do by their starts.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from wsgibench.stats import ratios
from wsgibench.stats.bootstrap import Interval
from wsgibench.stats.samples import Series

#: Of one row in one run: logarithms of its values by block.
Logs = dict[int, float]


def mean(above: Sequence[Logs], below: Sequence[Logs]) -> Interval:
    """The geometric mean of the rows' ratios, above / below."""
    return ratios.between(_blocks(above), _blocks(below))


def _blocks(rows: Sequence[Logs]) -> list[Series]:
    """The mean of these is that of the rows' means. A row that lacks blocks
    weighs more in those that it has: its starts are fewer, so that each moves
    its mean by more."""
    blocks = sorted(set().union(*rows))
    values = np.zeros(len(blocks))
    for row in rows:
        logs = np.array([row.get(block, np.nan) for block in blocks])
        middle = np.nanmean(logs)
        values += middle + np.nan_to_num(logs - middle) * len(logs) / len(row)
    return [
        Series(np.exp([value]), np.ones(1)) for value in values / len(rows)
    ]
