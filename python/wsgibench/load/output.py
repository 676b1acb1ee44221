"""A run in words, for the terminal."""

from __future__ import annotations

from typing import Any


def time_text(nanoseconds: float) -> str:
    for unit, size in (("s", 1e9), ("ms", 1e6), ("us", 1e3)):
        if nanoseconds >= size:
            return "%.3g %s" % (nanoseconds / size, unit)
    return "%.0f ns" % nanoseconds


def _times(name: str, times: dict[str, Any]) -> str:
    """``at_least`` names those that only bound the truth from below."""
    bounds = times.get("at_least", ())
    texts = []
    for key in ("p50_ns", "p90_ns", "p99_ns", "p99.9_ns", "max_ns"):
        if key in times:
            sign = ">= " if key in bounds else ""
            texts.append("%s %s%s" % (key[:-3], sign, time_text(times[key])))
    return "%s: %s" % (name, ", ".join(texts))


def summary(result: dict[str, Any]) -> str:
    classes = result["classes"]
    open_loop = bool(result["asked"]["rate"])
    lines = [
        "%d answered in %.2f s: %.0f requests/s, client CPU %.2f us each"
        % (
            classes["ok"],
            result["duration_s"],
            result["goodput"],
            result["client_cpu_us_per_request"],
        ),
        # Latency is quoted from the intended send time when there is one.
        _times(
            "response time" if open_loop else "response time (closed loop)",
            result["tail"],
        ),
    ]
    if open_loop:
        lines.append(_times("service time", result["service"]))
        lines.append(_times("schedule lag", result["lag"]))
    if result["tail"]["censored"]:
        lines.append(
            "%d of the response times are lower bounds: not answered"
            % result["tail"]["censored"]
        )
    others = ["%s %d" % item for item in classes.items() if item[1]]
    if classes["ok"]:
        others = others[1:]
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
