"""Quantiles, with the requests in them that got no right answer.

A request that failed, was still under way or could never be sent would have
taken at least as long as it was waited for: a censored value. Left out, the
worst of a run would make it look better.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from wsgibench.load.hdr import Histogram, lowest_value

PERCENTILES = (50, 75, 90, 95, 99, 99.9, 99.99)


def key(percentile: float) -> str:
    """``p99.9_ns``"""
    return "p%.10g_ns" % percentile


#: What every record has.
QUANTILES = {key(p): p / 100 for p in PERCENTILES}


def quantiles(more: Iterable[float]) -> dict[str, float]:
    """Keys of a record and their quantiles, with these percentiles too."""
    extra = {key(p): p / 100 for p in more}
    return dict(sorted({**QUANTILES, **extra}.items(), key=lambda q: q[1]))


def described(
    histogram: Histogram, more: Iterable[float] = ()
) -> dict[str, Any]:
    """A histogram as it stands in a record."""
    return {
        "count": histogram.count,
        "mean_ns": histogram.mean,
        "max_ns": histogram.max,
        **{name: histogram.quantile(q) for name, q in quantiles(more).items()},
        "hdr": histogram.encode(),
    }


def at_most(
    answered: Histogram, censored: Histogram, failed: int, q: float
) -> float:
    """The quantile if each request that failed would have taken for ever: the
    lowest of the censored values are theirs, as far as anybody knows."""
    kept = Histogram()
    kept.add(answered)
    left = failed
    for place in sorted(censored.places):
        count = censored.places[place]
        theirs = min(left, count)
        left -= theirs
        kept.places[place] = kept.places.get(place, 0) + count - theirs
    kept.max = max(answered.max, censored.max)
    total = answered.count + censored.count
    rank = max(1, int(q * total + 0.5))
    if rank > kept.count:
        return math.inf
    return float(kept.quantile(rank / kept.count))


def with_censored(
    answered: Histogram, censored: Histogram, more: Iterable[float] = ()
) -> dict[str, Any]:
    """Quantiles of both together. A censored value that lies at or below one
    may belong above it: then the quantile is at least what it says."""
    both = Histogram()
    both.add(answered)
    both.add(censored)
    tail: dict[str, Any] = {
        "count": both.count,
        "censored": censored.count,
        "mean_ns": both.mean,
        "max_ns": both.max,
    }
    lowest = min(map(lowest_value, censored.places), default=None)
    bounds = ["mean_ns"] if censored.count else []
    for name, q in quantiles(more).items():
        tail[name] = both.quantile(q)
        if lowest is not None and lowest <= tail[name]:
            bounds.append(name)
    if censored.count and lowest is not None and lowest <= both.max:
        bounds.append("max_ns")
    tail["at_least"] = bounds
    return tail
