"""For the terminal."""

from __future__ import annotations

import io
import math
from typing import Any

from wsgibench.reports import _application, answer
from wsgibench.stats import answers
from wsgibench.stats.columns import cell, columns, notes
from wsgibench.stats.summary import rows
from wsgibench.verdicts import INVALID

HELP = "a table for the terminal"


def render(record: dict[str, Any], width: int = 120) -> str:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    results = rows(record)
    shown = columns(results)
    if "application" in record:
        results.sort(key=lambda row: row.get("server_cpu_us", math.inf))
        results.sort(key=lambda row: row["verdict"] == INVALID)
        if len({cell(row, "load") for row in results}) < 2:
            shown = [one for one in shown if one[1] != "load"]
    for title, name in shown:
        is_text = name in ("server", "python", "load", "verdict")
        table.add_column(
            title,
            justify="left" if is_text else "right",
            no_wrap=name in ("server", "python"),
        )
    for row in results:
        table.add_row(*(cell(row, name) for _, name in shown))
    out = io.StringIO()
    console = Console(file=out, width=width, color_system=None)
    said = answer.render(record, min(width, 100))
    if said:
        console.print(said, soft_wrap=True, markup=False, highlight=False)
    console.print(table)
    if "application" in record:
        _application_tables(record, console)
    for line in notes(record, results):
        console.print("* " + line, soft_wrap=True, markup=False)
    return out.getvalue()


def _application_tables(record: dict[str, Any], console: Any) -> None:
    from rich.table import Table
    from rich.text import Text

    entries = answers.entries(record)
    for title, (heads, found) in (
        ("Whose time is it?", _application.splits(record, entries)),
        ("Answers that differ", _application.differences(entries)),
    ):
        if not found:
            continue
        table = Table(box=None, pad_edge=False)
        for head in heads:
            is_number = head.endswith(" us")
            table.add_column(head, justify="right" if is_number else "left")
        for row in found:
            table.add_row(*map(Text, row))
        console.print()
        console.print(title, markup=False, highlight=False)
        console.print(table)
    for line in _application.how_far(record):
        console.print("* " + line, soft_wrap=True, markup=False)
