"""For the terminal."""

from __future__ import annotations

import math
from typing import Any

from wsgibench.reports import _application, answer
from wsgibench.reports._terminal import NAME, NUMBER, TEXT, Column, Page
from wsgibench.stats import answers
from wsgibench.stats.columns import cell, columns, notes
from wsgibench.stats.summary import rows
from wsgibench.verdicts import INVALID

HELP = "a table for the terminal"


#: Columns of the others are numbers.
KINDS_OF = {"server": NAME, "python": NAME, "load": TEXT, "verdict": TEXT}


def render(record: dict[str, Any], width: int = 120) -> str:
    results = rows(record)
    shown = columns(results)
    if "application" in record:
        results.sort(key=lambda row: row.get("server_cpu_us", math.inf))
        results.sort(key=lambda row: row["verdict"] == INVALID)
        if len({cell(row, "load") for row in results}) < 2:
            shown = [one for one in shown if one[1] != "load"]
    page = Page(width)
    said = answer.render(record, min(width, 100))
    if said:
        page.line(said)
    page.table(
        [Column(title, KINDS_OF.get(name, NUMBER)) for title, name in shown],
        [[cell(row, name) for _, name in shown] for row in results],
    )
    if "application" in record:
        _application_tables(record, page)
    for line in notes(record, results):
        page.line("* " + line)
    return page.text()


def _application_tables(record: dict[str, Any], page: Page) -> None:
    entries = answers.entries(record)
    for title, (heads, found) in (
        ("Whose time is it?", _application.splits(record, entries)),
        ("Answers that differ", _application.differences(entries)),
    ):
        if not found:
            continue
        page.line()
        page.line(title)
        page.table(
            [
                Column(head, NUMBER if head.endswith(" us") else TEXT)
                for head in heads
            ],
            found,
        )
    for line in _application.how_far(record):
        page.line("* " + line)
