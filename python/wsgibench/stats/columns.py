"""The columns of a results table, and how each number is written."""

from __future__ import annotations

from typing import Any

COLUMNS = (
    ("server", "server"),
    ("python", "python"),
    ("load", "load"),
    ("requests/s", "goodput"),
    ("server CPU us", "server_cpu_us"),
    ("x null", "cpu_vs_null"),
    ("p50 ms", "p50_ns"),
    ("p99 ms", "p99_ns"),
    ("RSS MiB", "rss"),
    ("failed", "failed"),
    ("verdict", "verdict"),
)


def three(value: float) -> str:
    """Three digits, or all before the point; never an exponent."""
    return "%.0f" % value if abs(value) >= 999.5 else "%.3g" % value


def _pace(row: dict[str, Any]) -> str:
    if row["fraction"]:
        return " @%g%%" % (100 * row["fraction"])
    return " @%g/s" % row["rate"] if row["rate"] else ""


def cell(row: dict[str, Any], name: str) -> str:
    if name == "load":
        return "%s c=%d%s%s" % (
            row["scenario"],
            row["connections"],
            "" if row["keepalive"] else " close",
            _pace(row),
        )
    value = row.get(name)
    if value is None:
        return "-"
    if name == "goodput":
        return "%.0f" % value
    if name in ("server_cpu_us", "cpu_vs_null"):
        return "%.2f" % value
    if name.endswith("_ns"):
        return three(value / 1e6)
    if name == "rss":
        return "%.0f" % (value / 2**20)
    return str(value)


def notes(record: dict[str, Any], rows: list[dict[str, Any]]) -> list[str]:
    """What stands below the table: why rows are doubtful or missing."""
    lines = []
    for row in rows:
        for reason in row["reasons"]:
            lines.append(
                "%s on %s: %s" % (row["server"], row["python"], reason)
            )
    for failure in [*record["failures"], *record.get("skipped", [])]:
        where = failure["cell"]
        lines.append("%s%s" % (where and where + ": ", failure["reason"]))
    return lines
