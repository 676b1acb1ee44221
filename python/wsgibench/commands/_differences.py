"""The table of two counts held together, for compare and gate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from wsgibench.reports import _terminal
from wsgibench.reports._terminal import NAME, NUMBER, TEXT

if TYPE_CHECKING:
    from wsgibench.stats.counted import Difference
    from wsgibench.stats.gate import Timed

TITLES = {
    "instructions": "instructions",
    "calls": "system calls",
    "allocations": "heap allocations",
}


def render(found: Sequence[Difference], width: int = 140) -> str:
    rows = []
    for one in found:
        form = "%.0f" if one.number == "instructions" else "%.2f"
        ratio = one.ratio
        rows.append(
            [
                one.cell,
                TITLES[one.number],
                form % one.a,
                form % one.b,
                "-" if ratio is None else "%.4f" % ratio,
                one.verdict + (one.reason and " (%s)" % one.reason),
            ]
        )
    columns = [
        *_terminal.columns(TEXT, "cell", "of a request"),
        *_terminal.columns(NUMBER, "A", "B", "B/A"),
        *_terminal.columns(TEXT, "verdict"),
    ]
    return _terminal.table(columns, rows, width).rstrip()


def render_timed(found: Sequence[Timed], width: int = 140) -> str:
    rows = []
    for one in found:
        ratio = "-"
        if one.ratio is not None:
            ratio = "%.3f [%.3f, %.3f]" % (
                one.ratio.estimate,
                one.ratio.low,
                one.ratio.high,
            )
        rows.append(
            [
                one.cell,
                "CPU us (A/A: %.1f %%)" % (100 * one.floor),
                "%.2f" % one.base,
                "%.2f" % one.new,
                ratio,
                one.verdict
                + (one.reason and " (%s)" % one.reason)
                + (one.waits and "; " + one.waits),
            ]
        )
    columns = [
        *_terminal.columns(TEXT, "cell", "of a request"),
        *_terminal.columns(NUMBER, "A", "B"),
        *_terminal.columns(NAME, "B/A [95 %]"),
        *_terminal.columns(TEXT, "verdict"),
    ]
    return _terminal.table(columns, rows, width).rstrip()
