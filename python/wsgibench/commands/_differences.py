"""The table of two counts held together, for compare and gate."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wsgibench.stats.counted import Difference
    from wsgibench.stats.gate import Timed

TITLES = {
    "instructions": "instructions",
    "calls": "system calls",
    "allocations": "heap allocations",
}


def render(found: Sequence[Difference], width: int = 140) -> str:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for title in ("cell", "of a request", "A", "B", "B/A", "verdict"):
        right = title in ("A", "B", "B/A")
        table.add_column(title, justify="right" if right else "left")
    for one in found:
        form = "%.0f" if one.number == "instructions" else "%.2f"
        ratio = one.ratio
        table.add_row(
            one.cell,
            TITLES[one.number],
            form % one.a,
            form % one.b,
            "-" if ratio is None else "%.4f" % ratio,
            one.verdict + (one.reason and " (%s)" % one.reason),
        )
    out = io.StringIO()
    Console(file=out, width=width, color_system=None).print(table)
    return out.getvalue().rstrip()


def render_timed(found: Sequence[Timed], width: int = 140) -> str:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for title in ("cell", "of a request", "A", "B", "B/A [95 %]", "verdict"):
        table.add_column(
            title, justify="right" if title in ("A", "B") else "left"
        )
    for one in found:
        ratio = "-"
        if one.ratio is not None:
            ratio = "%.3f [%.3f, %.3f]" % (
                one.ratio.estimate,
                one.ratio.low,
                one.ratio.high,
            )
        table.add_row(
            one.cell,
            "CPU us (A/A: %.1f %%)" % (100 * one.floor),
            "%.2f" % one.base,
            "%.2f" % one.new,
            ratio,
            one.verdict
            + (one.reason and " (%s)" % one.reason)
            + (one.waits and "; " + one.waits),
        )
    out = io.StringIO()
    Console(file=out, width=width, color_system=None).print(table)
    return out.getvalue().rstrip()
