"""A run in words, for the terminal."""

from __future__ import annotations

from typing import Any


def time_text(nanoseconds: float) -> str:
    for unit, size in (("s", 1e9), ("ms", 1e6), ("us", 1e3)):
        if nanoseconds >= size:
            return "%.3g %s" % (nanoseconds / size, unit)
    return "%.0f ns" % nanoseconds


def summary(result: dict[str, Any], rate: float) -> str:
    classes = result["classes"]
    # Latency is quoted from the intended send time when there is one.
    name = "response" if rate else "service"
    times = result[name]
    lines = [
        "%d answered in %.2f s: %.0f requests/s, client CPU %.2f us each"
        % (
            classes["ok"],
            result["duration_s"],
            result["goodput"],
            result["client_cpu_us_per_request"],
        ),
        "%s time: p50 %s, p90 %s, p99 %s, p99.9 %s, max %s"
        % (
            name,
            *(
                time_text(times[key])
                for key in ("p50_ns", "p90_ns", "p99_ns", "p99.9_ns", "max_ns")
            ),
        ),
    ]
    others = ["%s %d" % item for item in classes.items() if item[1]][1:]
    if others:
        lines.append("not ok: " + ", ".join(others))
    lines.append(
        "%s%s"
        % (
            result["verdict"],
            ": " + "; ".join(result["reasons"]) if result["reasons"] else "",
        )
    )
    return "\n".join(lines)
