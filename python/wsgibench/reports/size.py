"""What `size` found: the cheapest first, with its command line."""

from __future__ import annotations

from typing import Any

from wsgibench.stats import cost
from wsgibench.stats.columns import three

HELP = "a record of `size`"


def month(cell: dict[str, Any], record: dict[str, Any]) -> float:
    """USD of a month at the rate, by what was used."""
    asked = cost.prices(record)
    found = cell["size"]["found"]
    used = next(
        one
        for one in reversed(cell["size"]["tried"])
        if one["holds"]
        and (one["workers"], one["threads"])
        == (found["workers"], found["threads"])
    )
    hour = (
        used["cpu_share"] * asked.cpu + used["rss"] / cost.GIB * asked.memory
    )
    return float(cost.HOURS_OF_A_MONTH * hour)


def render(record: dict[str, Any]) -> str:
    lines = ["for %g requests/s with %s:" % (record["rate"], record["slo"])]
    found = [one for one in record["cells"] if one["size"]["found"]]
    found.sort(key=lambda cell: month(cell, record))
    for cell in found:
        lines += _found(cell, record)
    for cell in record["cells"]:
        if not cell["size"]["found"]:
            lines += _not_found(cell)
    for failure in [*record["failures"], *record.get("skipped", [])]:
        lines.append("* %(cell)s: %(reason)s" % failure)
    return "\n".join(lines) + "\n"


def _title(cell: dict[str, Any]) -> str:
    python = "%(implementation)s %(version)s" % cell["python"]
    return "  %s on %s" % (cell["server"], python)


def _why(size: dict[str, Any]) -> str:
    return (
        "a request takes %s us of CPU and waits %s us, so %s are under way "
        "on average and at least %d worker%s needed"
        % (
            three(size["cpu_us"]),
            three(size["wait_us"]),
            three(size["under_way"]),
            size["least_workers"],
            " is" if size["least_workers"] == 1 else "s are",
        )
    )


def _found(cell: dict[str, Any], record: dict[str, Any]) -> list[str]:
    size = cell["size"]
    best = size["found"]
    lines = [
        "%s: %d x %d (workers x threads), %s a month"
        % (
            _title(cell),
            best["workers"],
            best["threads"],
            cost.money(month(cell, record)),
        ),
        "      " + best["command"],
        "      " + _why(size),
    ]
    return lines + _tried(size)


def _tried(size: dict[str, Any]) -> list[str]:
    return [
        "      %d x %d: p99 %s ms, %.0f %% of a CPU, waited for one %.0f %%, "
        "%.0f MiB%s"
        % (
            one["workers"],
            one["threads"],
            "-" if one["p99_ns"] is None else three(one["p99_ns"] / 1e6),
            100 * one["cpu_share"],
            100 * one["wait_share"],
            one["rss"] / 2**20,
            "" if one["holds"] else "; does not hold",
        )
        for one in size["tried"]
    ]


def _not_found(cell: dict[str, Any]) -> list[str]:
    size = cell["size"]
    lines = ["%s: nothing within the limits holds" % _title(cell)]
    return [*lines, "      " + _why(size), *_tried(size)]
