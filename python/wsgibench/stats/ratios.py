"""Which method a comparison of two runs takes: ranks when there are starts
enough for them, the two-level bootstrap otherwise."""

from __future__ import annotations

from collections.abc import Sequence

from wsgibench.stats import bootstrap, ranks
from wsgibench.stats.bootstrap import Interval
from wsgibench.stats.samples import Series

#: A cell's starts, and those of what it is held against in the same run.
Side = tuple[Sequence[Series], Sequence[Series]]


def between(above: Sequence[Series], below: Sequence[Series]) -> Interval:
    if ranks.enough(above, below):
        return ranks.ratio(above, below)
    return bootstrap.ratio(above, below, paired=False)


def relative(above: Side, below: Side) -> Interval:
    """What the machine did between the two runs falls out."""
    if ranks.enough(*above, *below):
        return ranks.quotient(
            ranks.ratio(above[0], below[0]), ranks.ratio(above[1], below[1])
        )
    return bootstrap.relative([above, below])
