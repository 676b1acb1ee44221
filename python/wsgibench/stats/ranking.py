"""Who of a group costs least, who next, and what of that is certain.

Servers are held against each other in pairs, in the blocks in which both were
measured undisturbed. Means over blocks of their own would compare the blocks:
the server whose start in a slow block was left out would seem cheap. To leave
that block out for all would leave nothing of a large matrix on a busy host.

Pairs over different blocks need not fit one order, so there is a rule: the
first is the one that no other is cheaper than; where each has one that is
(a > b > c > a), the one for which that is least so. The others follow by their
ratio to it. Without gaps that is the order of the means.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

import numpy as np

from wsgibench.stats import comparison, discovery, noise, samples
from wsgibench.stats.bootstrap import Interval
from wsgibench.stats.samples import Array

METRIC = "server_cpu_us"
MARGIN = 0.03


class Contender(Protocol):
    @property
    def measured(self) -> dict[int, samples.Windows]: ...


T = TypeVar("T", bound=Contender)


@dataclass(frozen=True)
class Rival(Generic[T]):
    """One that is not the first, held against it."""

    who: T
    #: Its CPU / that of the first; None without a block that both have.
    ratio: Interval | None
    p: float  # adjusted for all that may be said of this run
    verdict: str  # of comparison.py; "faster" when the first is

    @property
    def told(self) -> bool:
        return self.verdict == comparison.FASTER


@dataclass(frozen=True)
class Ranking(Generic[T]):
    best: T
    rivals: list[Rival[T]]  # cheapest first

    @property
    def ranked(self) -> list[T]:
        return [self.best, *(one.who for one in self.rivals)]


def _logs(group: Sequence[Contender]) -> Array:
    """Logarithms of the cost, by contender and block; nan: not measured."""
    numbers = sorted({block for one in group for block in one.measured})
    found = np.full((len(group), len(numbers)), math.nan)
    for i, one in enumerate(group):
        for block, windows in one.measured.items():
            value = windows.series(METRIC).value
            found[i, numbers.index(block)] = math.log(value)
    return found


def _apart(group: Sequence[Contender]) -> Array:
    """[i, j]: the logarithm of how much dearer i is than j. Of two without
    a common block it is that of their own means: some place they must have."""
    logs = _logs(group)
    found = np.zeros((len(group), len(group)))
    for i, one in enumerate(logs):
        for j, other in enumerate(logs):
            both = one - other
            both = both[np.isfinite(both)]
            if len(both):
                found[i, j] = both.mean()
            else:
                found[i, j] = np.nanmean(one) - np.nanmean(other)
    return found


def order(group: Sequence[T]) -> list[T]:
    """Cheapest first."""
    if not group:
        return []
    apart = _apart(group)
    best = int(apart.min(axis=0).argmax())
    others = [i for i in range(len(group)) if i != best]
    others.sort(key=lambda i: apart[i, best])
    return [group[i] for i in (best, *others)]


def rank(
    record: dict[str, Any], groups: Sequence[Sequence[T]]
) -> list[Ranking[T]]:
    """Of each group, none of them empty."""
    margin = comparison.margins([record], MARGIN)[METRIC]
    drafts = []
    for group in groups:
        best, *others = order(group)
        ratios = [
            noise.in_blocks(one.measured, best.measured, METRIC)
            for one in others
        ]
        drafts.append((best, others, ratios))
    chances = discovery.of_families(
        [
            discovery.beside_the_best([one.p if one else 1.0 for one in found])
            for _, _, found in drafts
        ]
    )
    return [
        Ranking(
            best,
            [
                Rival(one, ratio, p, _verdict(ratio, p, margin))
                for one, ratio, p in zip(others, ratios, adjusted)
            ],
        )
        for (best, others, ratios), adjusted in zip(drafts, chances)
    ]


def _verdict(ratio: Interval | None, p: float, margin: float) -> str:
    if ratio is None:
        return comparison.CANNOT_TELL
    return comparison.decide(ratio, p, margin)[0]
