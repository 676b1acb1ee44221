"""Histograms of a record: place numbers and counts (docs/record-format.md).

They merge without loss: percentiles of several starts are taken from the
sum, never from an average of percentiles.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

HALF = 1024  # places of each power of two above 2 * HALF ns


def highest_in(place: int) -> int:
    """The largest value (ns) that is counted in a place."""
    bucket = 0 if place < 2 * HALF else (place // HALF) - 1
    return ((place - bucket * HALF + 1) << bucket) - 1


def counts(histogram: dict[str, Any]) -> dict[int, int]:
    flat = histogram["places"]
    return dict(zip(flat[::2], flat[1::2]))


def merge(histograms: Iterable[dict[str, Any]]) -> dict[int, int]:
    """Place -> count, in the order of the values."""
    total: dict[int, int] = {}
    for histogram in histograms:
        for place, count in counts(histogram).items():
            total[place] = total.get(place, 0) + count
    return dict(sorted(total.items()))


def quantile(places: dict[int, int], q: float) -> float | None:
    """ns; None when so few were seen that q says nothing: ten values
    should lie beyond it."""
    size = sum(places.values())
    if size == 0 or (1 - q) * size < 10 - 1e-6:
        return None
    rank, seen = q * size, 0
    for place, count in places.items():
        seen += count
        if seen >= rank:
            return float(highest_in(place))
    return None


def share(places: dict[int, int], low_ns: float, high_ns: float) -> float:
    """Of all values, those in [low, high)."""
    size = sum(places.values())
    inside = sum(
        count
        for place, count in places.items()
        if low_ns <= highest_in(place) < high_ns
    )
    return inside / size if size else 0.0


def spectrum(places: dict[int, int]) -> list[list[float]]:
    """(1 / (1 - q), ns) from the median outwards, evenly on a logarithmic
    axis: the percentile spectrum as HdrHistogram draws it."""
    size = sum(places.values())
    found: list[list[float]] = []
    seen, step = 0, 10 ** (1 / 32)
    following = 1.0
    for place, count in places.items():
        seen += count
        left = size - seen
        beyond = size / left if left else float(size)
        if beyond >= following or not left:
            found.append([beyond, float(highest_in(place))])
            following = beyond * step
    return found
