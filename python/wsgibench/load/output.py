"""A run in words, for the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wsgibench.load.tail import key


def time_text(nanoseconds: float) -> str:
    for unit, size in (("s", 1e9), ("ms", 1e6), ("us", 1e3)):
        if nanoseconds >= size:
            return "%.3g %s" % (nanoseconds / size, unit)
    return "%.0f ns" % nanoseconds


def size_text(count: float) -> str:
    for unit, size in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= size:
            return "%.3g %s" % (count / size, unit)
    return "%.0f B" % count


#: What a line of times shows, besides what was asked for.
SHOWN = ("p50_ns", "p90_ns", "p95_ns", "p99_ns", "p99.9_ns", "max_ns")


def _times(
    name: str, times: dict[str, Any], more: Sequence[float] = ()
) -> str:
    """``at_least`` names those that only bound the truth from below."""
    if not times.get("count", 1):
        return "%s: none, nothing was answered" % name
    bounds = times.get("at_least", ())
    wanted = {"mean_ns", *SHOWN, *map(key, more)}
    texts = []
    for word in times:
        if word in wanted:
            sign = ">= " if word in bounds else ""
            texts.append("%s %s%s" % (word[:-3], sign, time_text(times[word])))
    return "%s: %s" % (name, ", ".join(texts))


def _statuses(result: dict[str, Any]) -> str:
    return ", ".join("%s: %d" % item for item in result["statuses"].items())


def summary(result: dict[str, Any], more: Sequence[float] = ()) -> str:
    """``more``: percentiles to show besides the usual ones."""
    classes = result["classes"]
    open_loop = bool(result["asked"]["mean_rate"])
    flow = result["bytes_per_s"]
    lines = [
        "%d answered in %.2f s: %.0f requests/s, %s/s in, %s/s out, client "
        "CPU %.2f us each"
        % (
            classes["ok"],
            result["duration_s"],
            result["goodput"],
            size_text(flow["in"]),
            size_text(flow["out"]),
            result["client_cpu_us_per_request"],
        ),
        # Latency is quoted from the intended send time when there is one.
        _times(
            "response time" if open_loop else "response time (closed loop)",
            result["tail"],
            more,
        ),
    ]
    if open_loop:
        lines.append(_times("service time", result["service"], more))
        lines.append(_times("schedule lag", result["lag"], more))
    if result["tail"]["censored"]:
        lines.append(
            "%d of the response times are lower bounds: no right answer"
            % result["tail"]["censored"]
        )
    lines += [
        _times("  " + (name or "other routes"), route["tail"], more)
        + ", %d ok of %d"
        % (route["classes"]["ok"], sum(route["classes"].values()))
        for name, route in result.get("routes", {}).items()
    ]
    redirects = result["connections"].get("redirects", 0)
    if redirects:
        lines.append("%d redirects followed" % redirects)
    if set(result["statuses"]) - {"200"}:
        lines.append("status " + _statuses(result))
    others = [
        "%s %d" % (name, count)
        for name, count in classes.items()
        if count and name != "ok"
    ]
    if others:
        lines.append("not ok: " + ", ".join(others))
    lines.append(verdict_line(result))
    return "\n".join(lines)


def verdict_line(result: dict[str, Any]) -> str:
    verdict: str = result["verdict"]
    reasons: list[str] = result["reasons"]
    return ": ".join([verdict, "; ".join(reasons)] if reasons else [verdict])


def tool_summary(result: dict[str, Any]) -> str:
    """Of another tool's run: what it said, and nothing it did not."""
    lines = ["%s: %d requests" % (result["tool"], result["scheduled"])]
    if result["goodput"]:
        lines.append("%.0f requests/s" % result["goodput"])
    if result["client_cpu_us_per_request"]:
        lines.append(
            "client CPU %.2f us each" % result["client_cpu_us_per_request"]
        )
    if result["tail"]:
        lines.append(_times("its times", result["tail"]))
    others = ["%s %d" % item for item in result["classes"].items() if item[1]]
    lines.append(", ".join(others))
    lines.append(verdict_line(result))
    return "\n".join(lines)
