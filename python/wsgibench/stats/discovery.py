"""Many comparisons at once: how many of the findings may be chance.

A matrix of servers, interpreters and loads is hundreds of tests; at 5 % each,
every twentieth would find a difference where there is none. The false
discovery rate is held instead (Benjamini and Hochberg 1995).
"""

from __future__ import annotations

from collections.abc import Sequence


def adjusted(p: Sequence[float]) -> list[float]:
    """p-values to be held against the rate that is allowed."""
    if not p:
        return []
    from scipy.stats import false_discovery_control

    return [float(value) for value in false_discovery_control(list(p))]
