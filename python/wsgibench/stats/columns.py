"""The columns of a results table, and how each number is written."""

from __future__ import annotations

from typing import Any

from wsgibench.stats.wording import together
from wsgibench.verdicts import (
    CPU,
    GOODPUT,
    INVALID,
    LATENCY,
    NOTE,
    SUSPECT,
    VALID,
    WORST_FIRST,
    Doubt,
    sentence,
)

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
    ("right", "right"),
    ("verdict", "verdict"),
)


def columns(rows: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """(title, name) of those that have something to say: no "right" where no
    server was audited, no "x null" where that was not raced."""
    empty = {
        name
        for name in ("right", "cpu_vs_null")
        if not any(row.get(name) for row in rows)
    }
    return [one for one in COLUMNS if one[1] not in empty]


def three(value: float) -> str:
    """Three digits, or all before the point; never an exponent."""
    return "%.0f" % value if abs(value) >= 999.5 else "%.3g" % value


def _pace(row: dict[str, Any]) -> str:
    if row["fraction"]:
        return " @%g%%" % (100 * row["fraction"])
    return " @%g/s" % row["rate"] if row["rate"] else ""


#: Which number's verdict a column falls under.
NUMBER_OF = {
    "goodput": GOODPUT,
    "server_cpu_us": CPU,
    "cpu_vs_null": CPU,
    "p50_ns": LATENCY,
    "p99_ns": LATENCY,
}

LEGEND = (
    ">= is a lower bound: the client was the limit. ~ is true of something "
    "else than was asked, a..b the range of what never settled. In brackets "
    "is no measurement."
)


def judged(
    row: dict[str, Any], number: str, text: str, verdict: str = ""
) -> str:
    """What follows from this number of the row, with its verdict, or with
    this one."""
    verdict = verdict or row["verdicts"][number]
    if text == "-" or verdict not in (INVALID, SUSPECT):
        return text
    if verdict == INVALID:
        return "(%s)" % text
    bound = number == GOODPUT and row["client_limited"]
    return (">=" if bound else "~") + text


def marked(row: dict[str, Any], name: str, text: str) -> str:
    """The number with its verdict, wherever it is shown: in tables, on the
    page, in sentences. Where there is a range instead, that. A quotient has
    the worse verdict of two."""
    number = NUMBER_OF.get(name)
    if number is None:
        return text
    if name == "cpu_vs_null":
        both = (row["verdicts"][number], row["verdict_of_null"])
        worse = next((one for one in WORST_FIRST if one in both), VALID)
        return judged(row, number, text, worse)
    if name != "server_cpu_us" or "cpu_range" not in row:
        return judged(row, number, text)
    span = "%s..%s" % tuple(map(three, row["cpu_range"]))
    return "(%s)" % span if row["verdicts"][CPU] == INVALID else span


def codes(row: dict[str, Any]) -> str:
    """VALID, or the short names of the reasons; the rest stands below."""
    found = [one for one in row["doubts"] if one["level"] != NOTE]
    if not found:
        return VALID
    names = ", ".join(dict.fromkeys(one["code"] for one in found))
    invalid = any(one["level"] == INVALID for one in found)
    return "INVALID: " + names if invalid else names


def cell(row: dict[str, Any], name: str) -> str:
    if name == "load":
        return "%s c=%d%s%s" % (
            row["scenario"],
            row["connections"],
            "" if row["keepalive"] else " close",
            _pace(row),
        )
    if name == "verdict":
        return codes(row)
    value = row.get(name)
    if value is None:
        return "-"
    return marked(row, name, _number(name, value))


def _number(name: str, value: Any) -> str:
    if name == "goodput":
        return three(value)
    if name in ("server_cpu_us", "cpu_vs_null"):
        return "%.2f" % value
    if name.endswith("_ns"):
        return three(value / 1e6)
    if name == "rate":
        return "%g" % value
    if name == "rss":
        return "%.0f" % (value / 2**20)
    return str(value)


def _who(rows: list[dict[str, Any]]) -> str:
    """Servers by interpreter: c-uv, null on CPython 3.11.7; ..."""
    by_python: dict[str, list[str]] = {}
    for row in rows:
        by_python.setdefault(row["python"], []).append(row["server"])
    return "; ".join(
        "%s on %s" % (", ".join(dict.fromkeys(servers)), python)
        for python, servers in by_python.items()
    )


def reasons(rows: list[dict[str, Any]]) -> list[str]:
    """Each reason once, with the rows that have it and what to do."""
    groups: dict[tuple[str, str], list[tuple[dict[str, Any], Doubt]]] = {}
    for row in rows:
        for one in row["doubts"]:
            key = (one["code"], one["level"])
            groups.setdefault(key, []).append((row, one))
    lines = []
    for (code, _), found in groups.items():
        first = found[0][1]
        words = "; ".join(together([one["what"] for _, one in found]))
        whole = sentence({**first, "what": words})
        who = _who([row for row, _ in found])
        lines.append("%s (%s): %s" % (code, who, whole))
    return lines


def _wrong(rows: list[dict[str, Any]]) -> list[str]:
    """What the servers that were audited get wrong, once for each."""
    found = {}
    elsewhere = {}
    for row in rows:
        who = "%s on %s" % (row["server"], row["python"])
        if row.get("worst"):
            found[who] = (
                "right in %s of the audit's cases (%s): worst, %s."
                % (
                    row["right"],
                    who,
                    row["worst"],
                )
            )
        if row.get("right_elsewhere"):
            elsewhere[row["right_elsewhere"]] = (
                "right: of servers that were not audited here, as of the same "
                "version on %s; `wsgibench audit` asks them here."
                % row["right_elsewhere"]
            )
    return [*found.values(), *elsewhere.values()]


def notes(record: dict[str, Any], rows: list[dict[str, Any]]) -> list[str]:
    """What stands below the table: why numbers are doubtful or missing."""
    lines = reasons(rows) + _wrong(rows)
    if any(one["level"] != NOTE for row in rows for one in row["doubts"]):
        lines.insert(0, LEGEND)
    for failure in [*record["failures"], *record.get("skipped", [])]:
        where = failure["cell"]
        lines.append("%s%s" % (where and where + ": ", failure["reason"]))
    return lines
