"""What `capacity` found, highest rate first, and the curve around each."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from wsgibench import runtimes
from wsgibench.stats import split
from wsgibench.stats.bootstrap import Interval
from wsgibench.stats.columns import three

HELP = "a record of `capacity`"
KINDS = ("capacity",)

#: Points of the curve that are printed: from half of the capacity on.
FROM = 0.5
MOST_POINTS = 8
#: Of its CPU: a client that uses more may be the limit.
CLIENT_BUSY = 0.9
PERCENTILE = re.compile(r"p(\d{1,2}(?:\.\d+)?)")
BEYOND = 9.99  # requests


@dataclass(frozen=True)
class Row:
    cell: dict[str, Any]
    starts: list[dict[str, Any]]  # those that count
    rate: Interval  # requests/s
    disturbed: str = ""  # why it may bear more
    few: str = ""  # which percentile so few requests do not tell

    @property
    def server(self) -> str:
        return str(self.cell["server"])

    @property
    def python(self) -> str:
        return python(self.cell)

    @property
    def name(self) -> str:
        return "%s on %s" % (self.server, self.python)

    @property
    def stands(self) -> bool:
        return not self.disturbed

    @property
    def text(self) -> str:
        """In brackets what is no measurement."""
        if self.disturbed:
            return "(%s)" % three(self.rate.estimate)
        text = three(self.rate.estimate)
        if self.rate.known:
            low = max(0.0, self.rate.low)
            text += " [%s, %s]" % (three(low), three(self.rate.high))
        return text

    @property
    def closed(self) -> str:
        found = [start["closed_loop"] for start in self.starts]
        return three(sum(found) / len(found))


def python(cell: dict[str, Any]) -> str:
    return runtimes.name(cell["python"], cell.get("starts", ()))


def rows(record: dict[str, Any]) -> list[Row]:
    found = []
    for cell in record["cells"]:
        starts = cell["starts"]
        quiet = [one for one in starts if not one.get("disturbed")]
        if starts:
            kept = quiet or starts
            rate = split.mean([one["capacity"] for one in kept])
            why = "" if quiet else starts[0]["disturbed"]
            few = _few(record, cell, rate.estimate)
            found.append(Row(cell, kept, rate, why, few))
    return sorted(found, key=lambda row: (not row.stands, -row.rate.estimate))


def _few(record: dict[str, Any], cell: dict[str, Any], rate: float) -> str:
    """Ten requests should lie beyond a percentile."""
    requests = rate * cell["load"].get("duration", 0.0)
    for name in record.get("limits_ns", {}):
        match = PERCENTILE.fullmatch(name)
        beyond = requests * (1 - float(match[1]) / 100) if match else 0.0
        if 0 < beyond < BEYOND:
            return (
                "a trial has about %.0f requests, which do not tell %s well; "
                "a longer --duration does" % (requests, name)
            )
    return ""


def render(record: dict[str, Any]) -> str:
    lines = ["highest rate that keeps %s:" % record["slo"]]
    found = rows(record)
    for row in found:
        lines.append(
            "  %-18s %-16s %s requests/s (as fast as it can: %s)"
            % (row.server, row.python, row.text, row.closed)
        )
        lines += ["      " + line for line in _curve(row)]
    lines += [one for one in [verdict(found), *notes(found)] if one]
    for failure in [*record["failures"], *record.get("skipped", [])]:
        where = failure["cell"]
        lines.append("* %s%s" % (where and where + ": ", failure["reason"]))
    return "\n".join(lines) + "\n"


def verdict(found: list[Row]) -> str:
    standing = [row for row in found if row.stands]
    if len(standing) < 2:
        return ""
    best, second = standing[:2]
    known = best.rate.known and second.rate.known
    if known and best.rate.low > second.rate.high:
        return "%s keeps it at the highest rate." % best.name
    return "%s and %s cannot be told apart; --starts tells more." % (
        best.name,
        second.name,
    )


def notes(found: list[Row]) -> list[str]:
    lines = []
    for row in found:
        if row.disturbed:
            lines.append(
                "%s: disturbed, so it may bear more: %s; run it again on a "
                "quiet machine" % (row.name, row.disturbed)
            )
            continue
        total = len(row.cell["starts"])
        if len(row.starts) < total:
            lines.append(
                "%s: %d of %d starts were disturbed and are left out."
                % (row.name, total - len(row.starts), total)
            )
        if row.rate.estimate == 0:
            lines.append("%s: not even the lowest rate keeps it." % row.name)
        if row.few:
            lines.append("%s: %s." % (row.name, row.few))
        if row.rate.estimate and _is_clients(row.cell):
            lines.append(
                "%s: the client had no CPU left, so it may bear more."
                % row.name
            )
    return lines


def _is_clients(cell: dict[str, Any]) -> bool:
    """Whether the client was the limit at the rate that was found."""
    for start in cell["starts"]:
        held = [one for one in start["trials"] if one["holds"]]
        busy = held[-1]["client_cpu_share"] if held else 0.0
        if start["is_bound"] or busy > CLIENT_BUSY:
            return True
    return False


def _curve(row: Row) -> list[str]:
    """The last start's, around the knee."""
    points = row.starts[-1]["trials"]
    shown = [one for one in points if one["rate"] >= FROM * row.rate.estimate]
    return [
        "%8s/s  p50 %s  p99 %s ms%s"
        % (
            three(one["rate"]),
            ms(one["p50_ns"]),
            ms(one["p99_ns"]),
            ("" if one["holds"] else "  missed")
            + ("  (disturbed)" if one.get("disturbed") else ""),
        )
        for one in shown[:MOST_POINTS]
    ]


def ms(value: float | None) -> str:
    return "-" if value is None else three(value / 1e6)
