"""Quantiles, with the requests nobody answered in them.

A request that timed out, was still under way or could never be sent would
have taken at least as long as it was waited for: a censored value. Left out,
the worst of a run would make it look better.
"""

from __future__ import annotations

from typing import Any

from wsgibench.load.hdr import Histogram, lowest_value

QUANTILES = {
    "p50_ns": 0.5,
    "p90_ns": 0.9,
    "p99_ns": 0.99,
    "p99.9_ns": 0.999,
    "p99.99_ns": 0.9999,
}


def described(histogram: Histogram) -> dict[str, Any]:
    """A histogram as it stands in a record."""
    return {
        "count": histogram.count,
        "mean_ns": histogram.mean,
        "max_ns": histogram.max,
        **{name: histogram.quantile(q) for name, q in QUANTILES.items()},
        "hdr": histogram.encode(),
    }


def with_censored(answered: Histogram, censored: Histogram) -> dict[str, Any]:
    """Quantiles of both together. A censored value that lies at or below one
    may belong above it: then the quantile is at least what it says."""
    both = Histogram()
    both.add(answered)
    both.add(censored)
    tail: dict[str, Any] = {
        "count": both.count,
        "censored": censored.count,
        "max_ns": both.max,
    }
    lowest = min(map(lowest_value, censored.places), default=None)
    bounds = []
    for name, q in QUANTILES.items():
        tail[name] = both.quantile(q)
        if lowest is not None and lowest <= tail[name]:
            bounds.append(name)
    if censored.count and lowest is not None and lowest <= both.max:
        bounds.append("max_ns")
    tail["at_least"] = bounds
    return tail
