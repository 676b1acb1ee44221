"""What `capacity` found, highest rate first, and the curve around each."""

from __future__ import annotations

from typing import Any

from wsgibench.stats import split
from wsgibench.stats.columns import three

HELP = "a record of `capacity`"

#: Points of the curve that are printed: from half of the capacity on.
FROM = 0.5


def render(record: dict[str, Any]) -> str:
    lines = ["highest rate that keeps %s:" % record["slo"]]
    rows = []
    for cell in record["cells"]:
        rates = [start["capacity"] for start in cell["starts"]]
        if rates:
            rows.append((split.mean(rates), cell))
    rows.sort(key=lambda row: -row[0].estimate)
    for value, cell in rows:
        python = "%(implementation)s %(version)s" % cell["python"]
        text = three(value.estimate)
        if value.known:
            low = max(0.0, value.low)
            text += " [%s, %s]" % (three(low), three(value.high))
        closed = [start["closed_loop"] for start in cell["starts"]]
        lines.append(
            "  %-18s %-16s %s requests/s (as fast as it can: %s)"
            % (
                cell["server"],
                python,
                text,
                three(sum(closed) / len(closed)),
            )
        )
        if value.estimate == 0:
            lines.append("      not even the lowest rate keeps it")
        lines += ["      " + line for line in _curve(cell, value.estimate)]
    if len(rows) > 1:
        lines.append(_verdict(rows))
    for failure in [*record["failures"], *record.get("skipped", [])]:
        lines.append("* %(cell)s: %(reason)s" % failure)
    return "\n".join(lines) + "\n"


def _verdict(rows: list[Any]) -> str:
    (best, cell), (second, other) = rows[:2]
    if best.known and second.known and best.low > second.high:
        return "%s keeps it at the highest rate." % cell["server"]
    return "%s and %s cannot be told apart; --starts tells more." % (
        cell["server"],
        other["server"],
    )


def _curve(cell: dict[str, Any], capacity: float) -> list[str]:
    """The last start's, around the knee."""
    points = cell["starts"][-1]["trials"]
    shown = [one for one in points if one["rate"] >= FROM * capacity]
    return [
        "%8s/s  p50 %s  p99 %s ms%s"
        % (
            three(one["rate"]),
            _ms(one["p50_ns"]),
            _ms(one["p99_ns"]),
            "" if one["holds"] else "  missed",
        )
        for one in shown[:8]
    ]


def _ms(value: float | None) -> str:
    return "-" if value is None else three(value / 1e6)
