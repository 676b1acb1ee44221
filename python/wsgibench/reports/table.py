"""For the terminal."""

from __future__ import annotations

import io
from typing import Any

from wsgibench.stats.columns import cell, columns, notes
from wsgibench.stats.summary import rows

HELP = "a table for the terminal"


def render(record: dict[str, Any], width: int = 120) -> str:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    results = rows(record)
    shown = columns(results)
    for title, name in shown:
        is_text = name in ("server", "python", "load", "verdict")
        table.add_column(title, justify="left" if is_text else "right")
    for row in results:
        table.add_row(*(cell(row, name) for _, name in shown))
    out = io.StringIO()
    console = Console(file=out, width=width, color_system=None)
    console.print(table)
    for line in notes(record, results):
        console.print("* " + line, soft_wrap=True, markup=False)
    return out.getvalue()
