"""What was counted of each cell: instructions, system calls by name ..."""

from __future__ import annotations

import io
from typing import Any

from wsgibench.stats import counted
from wsgibench.stats.counted import Counted

HELP = "what run --counted counted: instructions, system calls by name"
KINDS = ("counted",)


def calls_text(one: Counted) -> str:
    """The most frequent first."""
    found = sorted(one.by_name.items(), key=lambda item: -item[1])
    return ", ".join("%s %.2f" % item for item in found if item[1] >= 0.005)


def render(record: dict[str, Any], width: int = 120) -> str:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    table.add_column("server")
    table.add_column("python")
    table.add_column("load")
    for title in ("instructions", "+-%", "calls", "switches", "mallocs"):
        table.add_column(title, justify="right")
    table.add_column("system calls of a request")
    for one in counted.rows(record):
        table.add_row(*_cells(one))
    out = io.StringIO()
    console = Console(file=out, width=width, color_system=None)
    console.print(table)
    for line in _notes(record):
        console.print("* " + line, soft_wrap=True, markup=False)
    return out.getvalue()


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
