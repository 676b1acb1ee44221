"""Times of a cell, from the histograms in its record.

They merge without loss (load/hdr.py): percentiles of several starts are
taken from the sum, never from an average of percentiles, and the warm-up is
left out window by window. What they are of: every request that got its answer,
or failed, after the warm-up, those that were under way at the end included.
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


def _behind(load: dict[str, Any], begin_ns: float) -> list[dict[str, Any]]:
    """The windows after the warm-up, and the drain: what was under way when
    the load ended was asked like the rest. A tool of others has none."""
    windows = [w for w in load["windows"] if w["start_ns"] >= begin_ns - 1]
    drain = load.get("drain")
    return [*windows, drain] if drain else windows


def _longest(times: Histogram, count: int) -> Histogram:
    """So many of them."""
    found = Histogram()
    for place, n in sorted(times.places.items(), reverse=True):
        own = min(n, count)
        if own <= 0:
            break
        found.places[place] = own
        found.total += own * highest_value(place)
        count -= own
    found.max = times.max if found.places else 0
    return found


def _unanswered(told: dict[str, Any], before: int) -> Histogram:
    """Times of at least so much (load/tail.py), of what failed after the
    warm-up, `before` the end of which so many did. A record has these times
    of the whole load in one; the longest are taken, for a time beyond the
    warm-up is none of it, and no tail gets shorter by a guess."""
    count = told.get("count", 0) - before
    if count <= 0 or "hdr" not in told:
        return Histogram()
    return _longest(read(told["hdr"]), count)


def _of_load(load: dict[str, Any], begin_ns: float, name: str) -> Histogram:
    """What was answered after the warm-up, and what failed after it."""
    found = Histogram()
    for window in _behind(load, begin_ns):
        if "service" in window:
            found.add(read(window.get(name) or window["service"]))
    before = sum(
        window.get("failed", 0)
        for window in load["windows"]
        if window["start_ns"] < begin_ns - 1
    )
    found.add(_unanswered(load.get("censored", {}), before))
    return found


def _failed(route: dict[str, Any]) -> int:
    classes = route["classes"]
    return int(sum(classes.values()) - classes.get("ok", 0))


def _of_route(
    load: dict[str, Any], begin_ns: float, route: str
) -> Histogram | None:
    """The same of a route; None where the windows do not tell routes apart,
    or the times of what failed were not kept by route."""
    whole = load.get("routes", {}).get(route)
    behind = _behind(load, begin_ns)
    if whole is None or not all("routes" in window for window in behind):
        return None
    found = Histogram()
    for window in behind:
        if route in window["routes"]:
            found.add(read(window["routes"][route]["response"]))
    before = sum(
        _failed(window["routes"][route])
        for window in load["windows"]
        if window["start_ns"] < begin_ns - 1
        and route in window.get("routes", {})
    )
    if "censored" not in whole:
        return found if _failed(whole) <= before else None
    found.add(_unanswered(whole["censored"], before))
    return found


def of_cell(cell: dict[str, Any], kept: dict[int, Windows]) -> Histogram:
    """The starts in `kept` together, each from its first measured window on;
    from the intended send time where there is one."""
    name = "response" if cell["load"].get("rate") else "service"
    total = Histogram()
    for start in cell["starts"]:
        if start["start"] in kept:
            begin = float(kept[start["start"]].begin[0])
            total.add(_of_load(start["load"], 1e9 * begin, name))
    return total


def of_route(
    cell: dict[str, Any], kept: dict[int, Windows], route: str
) -> Histogram | None:
    """The requests of a route among those of of_cell(); None where a record
    cannot say which they are."""
    total = Histogram()
    for start in cell["starts"]:
        if start["start"] not in kept:
            continue
        begin = float(kept[start["start"]].begin[0])
        found = _of_route(start["load"], 1e9 * begin, route)
        if found is None:
            return None
        total.add(found)
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
