"""What was counted of each cell: instructions, system calls by name ..."""

from __future__ import annotations

from typing import Any

from wsgibench.reports._terminal import NAME, NUMBER, TEXT, Page, columns
from wsgibench.stats import counted
from wsgibench.stats.counted import Counted

HELP = "what run --counted counted: instructions, system calls by name"
KINDS = ("counted",)


def calls_text(one: Counted) -> str:
    """The most frequent first."""
    found = sorted(one.by_name.items(), key=lambda item: -item[1])
    return ", ".join("%s %.2f" % item for item in found if item[1] >= 0.005)


def render(record: dict[str, Any], width: int = 120) -> str:
    numbers = ("instructions", "+-%", "calls", "switches", "mallocs")
    page = Page(width)
    page.table(
        [
            *columns(NAME, "server", "python"),
            *columns(TEXT, "load"),
            *columns(NUMBER, *numbers),
            *columns(TEXT, "system calls of a request"),
        ],
        list(map(_cells, counted.rows(record))),
    )
    for line in _notes(record):
        page.line("* " + line)
    return page.text()


def _cells(one: Counted) -> list[str]:
    row = one.row
    keepalive = "" if row["keepalive"] else " close"
    allocations = one.allocations
    return [
        row["server"],
        row["python"],
        "%s c=%d%s" % (row["scenario"], row["connections"], keepalive),
        "%.0f" % one.instructions,
        "%.2f" % (100 * one.noise),
        "%.2f" % one.calls if one.by_name else "-",
        "%.2f" % one.switches,
        "-" if allocations is None else "%.2f" % allocations,
        calls_text(one) or "-",
    ]


def _notes(record: dict[str, Any]) -> list[str]:
    lines = [
        "of one request: instructions in user space (+-: how far its turns "
        "and starts lie apart), system calls, context switches, heap "
        "allocations (malloc and its kin)"
    ]
    for failure in [*record["failures"], *record.get("skipped", [])]:
        where = failure["cell"]
        lines.append("%s%s" % (where and where + ": ", failure["reason"]))
    return lines
