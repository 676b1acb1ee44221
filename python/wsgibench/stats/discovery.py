"""Many comparisons at once: how many of the findings may be chance.

A matrix of servers, interpreters and loads is hundreds of tests; at 5 % each,
every twentieth would find a difference where there is none. The false
discovery rate is held instead (Benjamini and Hochberg 1995).

Within one question, who is dearer than the best, not even one finding in
twenty may be wrong, and the best was chosen by the numbers that are tested:
of a dozen equal servers the luckiest lies well below the unluckiest.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

LEVEL = 0.05


def adjusted(p: Sequence[float]) -> list[float]:
    """p-values to be held against the rate that is allowed."""
    if not p:
        return []
    from scipy.stats import false_discovery_control

    return [float(value) for value in false_discovery_control(list(p))]


def beside_the_best(p: Sequence[float]) -> list[float]:
    """`p`: of each of the others against the one that turned out best. With
    `count` of them all, the chance of a single false finding is held.

    A closed test. That a set of s servers is equal is rejected when the least
    p of its s (s - 1) / 2 pairs is, of which the best's are some, at the part
    s / count of the level (Ryan 1960; Einot and Gabriel 1975). So the r-th
    least p counts count (count - r) / 2 times, which is what Holm's procedure
    makes of it, times count / 2. Nothing is supposed of the variances, as
    Dunnett's and Tukey's tests do: a JIT's starts vary more than others'."""
    count = len(p) + 1
    values = np.asarray(p, dtype=float)
    by_size = values.argsort(kind="stable")
    factors = count / 2 * np.arange(count - 1, 0, -1)
    stepped = np.maximum.accumulate(values[by_size] * factors)
    found = np.empty_like(values)
    found[by_size] = np.minimum(1.0, stepped)
    return [float(value) for value in found]


def starts_of_many(count: int) -> float:
    """How many times the starts that tell two servers apart it takes to tell
    any two of `count`."""
    from scipy.stats import norm

    pairs = count * (count - 1) / 2
    wanted = norm.isf(LEVEL / 2 / pairs) / norm.isf(LEVEL / 2)
    return float(wanted**2)


def of_families(families: Sequence[Sequence[float]]) -> list[list[float]]:
    """p-values that are adjusted in each family (a load, an interpreter),
    held against each other's: of the families in which something is found,
    those where that is wrong are 5 % (Benjamini and Bogomolov, JRSS B 76,
    2014). A family of its own stays as it is."""
    tested = [min(family) for family in families if family]
    chosen = sum(p <= LEVEL for p in adjusted(tested))
    factor = len(tested) / max(1, chosen)
    return [[min(1.0, factor * p) for p in family] for family in families]
