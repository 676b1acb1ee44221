"""Results of several generator processes as one, without loss."""

from __future__ import annotations

from itertools import zip_longest
from typing import Any

from wsgibench.load.hdr import Histogram

HISTOGRAMS = (
    "service",
    "response",
    "connect",
    "first_byte",
    "lag",
    "censored",
)
SUMS = (
    "cpu_ns",
    "spin_ns",
    "bytes_in",
    "bytes_out",
    "scheduled",
    "ok_in_time",
    "starved",
)


def _of(parts: dict[str, Any], most: int = 0) -> Histogram:
    return Histogram.from_pairs(
        parts["places"], parts.get("mean_ns", 0.0), parts.get("max_ns", most)
    )


def histograms(raw: dict[str, Any]) -> dict[str, Any]:
    """The generator's own text, with Histogram objects in it."""
    for name in HISTOGRAMS:
        raw[name] = _of(raw[name])
    for window in [*raw["windows"], raw["drain"]]:
        for name in ("service", "response"):
            window[name] = Histogram.from_pairs(window[name]["places"])
        for route in window.get("routes", {}).values():
            route["response"] = _of(route["response"], route["max_ns"])
    for route in raw["routes"]:
        for name in ("response", "censored"):
            route[name] = _of(route[name])
    raw["processes"] = [
        {name: raw[name] for name in ("cpu_ns", "spin_ns", "duration_ns")}
    ]
    return raw


def _classes(results: list[dict[str, Any]]) -> dict[str, int]:
    return {
        name: sum(result["classes"][name] for result in results)
        for name in results[0]["classes"]
    }


def _statuses(results: list[dict[str, Any]]) -> dict[str, int]:
    total: dict[str, int] = {}
    for result in results:
        for status, count in result["statuses"].items():
            total[status] = total.get(status, 0) + count
    return dict(sorted(total.items()))


def _connections(results: list[dict[str, Any]]) -> dict[str, Any]:
    parts = [result["connections"] for result in results]
    merged = {name: sum(part[name] for part in parts) for name in parts[0]}
    # All end together: what was open then was open at once.
    merged["open_at_once"] = merged["open_at_end"]
    merged["least"] = min(part["least"] for part in parts)
    merged["most"] = max(part["most"] for part in parts)
    return merged


def _sum(histograms: list[Histogram]) -> Histogram:
    total = Histogram()
    for histogram in histograms:
        total.add(histogram)
    return total


def _window_routes(windows: list[dict[str, Any]]) -> dict[str, Any]:
    found: dict[str, list[dict[str, Any]]] = {}
    for window in windows:
        for number, route in window.get("routes", {}).items():
            found.setdefault(number, []).append(route)
    return {
        number: {
            "classes": _classes(routes),
            "response": _sum([route["response"] for route in routes]),
        }
        for number, routes in found.items()
    }


def _routes(results: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Each process has the same ones, in the same order."""
    return [
        {
            "number": same[0]["number"],
            "classes": _classes(list(same)),
            "response": _sum([route["response"] for route in same]),
            "censored": _sum([route["censored"] for route in same]),
        }
        for same in zip(*(result["routes"] for result in results))
    ]


def _window(windows: list[dict[str, Any]]) -> dict[str, Any]:
    merged = dict(windows[0])
    for name in ("cpu_ns", "scheduled", "ok", "failed"):
        merged[name] = sum(window[name] for window in windows)
    merged["end_ns"] = max(window["end_ns"] for window in windows)
    merged["classes"] = _classes(windows)
    merged["max_ns"] = max(window["max_ns"] for window in windows)
    for name in ("service", "response"):
        merged[name] = _sum([window[name] for window in windows])
    if any("routes" in window for window in windows):
        merged["routes"] = _window_routes(windows)
    merged["p50_ns"] = merged["service"].quantile(0.5)
    merged["p99_ns"] = merged["service"].quantile(0.99)
    return merged


def merged(results: list[dict[str, Any]]) -> dict[str, Any]:
    """One of several. They began together, so windows match by number."""
    if len(results) == 1:
        return results[0]
    whole = dict(results[0])
    for name in SUMS:
        whole[name] = sum(result[name] for result in results)
    for name in HISTOGRAMS:
        whole[name] = _sum([result[name] for result in results])
    whole["routes"] = _routes(results)
    whole["start_ns"] = min(result["start_ns"] for result in results)
    whole["duration_ns"] = max(result["duration_ns"] for result in results)
    whole["interrupted"] = any(result["interrupted"] for result in results)
    whole["error"] = next(
        (result["error"] for result in results if result["error"]), ""
    )
    whole["classes"] = _classes(results)
    whole["statuses"] = _statuses(results)
    whole["connections"] = _connections(results)
    whole["samples"] = [s for result in results for s in result["samples"]][:8]
    whole["processes"] = [p for result in results for p in result["processes"]]
    rows = zip_longest(*(result["windows"] for result in results))
    whole["windows"] = [
        _window([window for window in row if window]) for row in rows
    ]
    whole["drain"] = _window([result["drain"] for result in results])
    return whole
