"""Times of a cell, from the histograms in its record.

They merge without loss (load/hdr.py): percentiles of several starts are
taken from the sum, never from an average of percentiles, and the warm-up is
left out window by window.
"""

from __future__ import annotations

from typing import Any

from wsgibench.errors import UsageError
from wsgibench.load.hdr import Histogram, highest_value
from wsgibench.stats.samples import Windows


def read(text: str) -> Histogram:
    try:
        return Histogram.decode(text)
    except ValueError as error:
        raise UsageError(
            "a histogram of the record cannot be read: %s." % error
        ) from error


def _measured(load: dict[str, Any], begin_ns: float, name: str) -> Histogram:
    """The answers after the warm-up, and what never was answered: times of
    at least so much (load/tail.py)."""
    found = Histogram()
    for window in load["windows"]:
        if window["start_ns"] >= begin_ns - 1:
            found.add(read(window.get(name) or window["service"]))
    censored = load.get("censored", {})
    if censored.get("count"):
        found.add(read(censored["hdr"]))
    return found


def of_cell(cell: dict[str, Any], kept: dict[int, Windows]) -> Histogram:
    """The starts in `kept` together, each from its first measured window on;
    from the intended send time where there is one."""
    name = "response" if cell["load"].get("rate") else "service"
    total = Histogram()
    for start in cell["starts"]:
        if start["start"] in kept:
            begin = float(kept[start["start"]].begin[0])
            total.add(_measured(start["load"], 1e9 * begin, name))
    return total


def quantile(histogram: Histogram, q: float) -> float | None:
    """ns; None when so few were seen that q says nothing: ten values
    should lie beyond it."""
    size = histogram.count
    if size == 0 or (1 - q) * size < 10 - 1e-6:
        return None
    return float(histogram.quantile(q))


def share(histogram: Histogram, low_ns: float, high_ns: float) -> float:
    """Of all values, those in [low, high)."""
    inside = sum(
        count
        for place, count in histogram.places.items()
        if low_ns <= highest_value(place) < high_ns
    )
    return inside / histogram.count if histogram.places else 0.0


def spectrum(histogram: Histogram) -> list[list[float]]:
    """(1 / (1 - q), ns), evenly on a logarithmic axis: the percentile
    spectrum as HdrHistogram draws it."""
    size = histogram.count
    found: list[list[float]] = []
    seen, step, following = 0, 10 ** (1 / 24), 1.0
    for place, count in sorted(histogram.places.items()):
        seen += count
        left = size - seen
        beyond = size / left if left else float(size)
        if beyond >= following or not left:
            found.append([beyond, float(highest_value(place))])
            following = beyond * step
    return found
