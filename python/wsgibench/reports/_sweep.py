"""Requests/s over the number of connections, a column a server, with a bar
for each number, and below it what was not reached."""

from __future__ import annotations

import math
from typing import Any

from wsgibench.reports._terminal import NUMBER, Column, Page
from wsgibench.reports._terminal import columns as titled
from wsgibench.stats import columns
from wsgibench.verdicts import GOODPUT, INVALID

BARS = " ▁▂▃▄▅▆▇█"
#: A number and how it is shown.
NOTHING = (0.0, "-")


def show(name: str, rows: dict[Any, dict[str, Any]], page: Page) -> None:
    """A table with its title for each scenario and Python."""
    scenarios = list(dict.fromkeys(key[0] for key in rows))
    every = (python for row in rows.values() for python in row["ours"])
    pythons = list(dict.fromkeys(every))
    for scenario in scenarios:
        here = {key: row for key, row in rows.items() if key[0] == scenario}
        for python in pythons:
            title = "%s: %s on %s, requests/s by connections"
            title %= (name, scenario, python)
            page.line(title)
            page.table(*_table(python, here))


def bar(value: float | None, top: float) -> str:
    """On a logarithmic scale of three decades below the best."""
    if not value or not top:
        return " "
    height = 1 + (math.log10(value / top) + 3) / 3 * (len(BARS) - 2)
    return BARS[max(1, min(len(BARS) - 1, round(height)))]


def _table(
    python: str, rows: dict[Any, dict[str, Any]]
) -> tuple[list[Column], list[list[str]]]:
    servers = list(dict.fromkeys(key[1] for key in rows))
    counts = sorted({key[3] for key in rows})
    values = {
        (key[1], key[3]): _printed(row["ours"].get(python))
        for key, row in rows.items()
    }
    top = max((value for value, _ in values.values()), default=0.0)
    return titled(NUMBER, "c", *servers), [
        [
            str(count),
            *(_cell(*values.get((s, count), NOTHING), top) for s in servers),
        ]
        for count in counts
    ]


def _printed(row: dict[str, Any] | None) -> tuple[float, str]:
    """Nothing that is no measurement."""
    if row is None or row["verdicts"][GOODPUT] == INVALID:
        return NOTHING
    return row.get("goodput", 0.0), columns.cell(row, "goodput")


def _cell(value: float, text: str, top: float) -> str:
    return ("%s %s" % (text, bar(value, top))) if value else text


def notes(rows: dict[Any, dict[str, Any]]) -> list[str]:
    """Each reason once, with the points that it is for."""
    reasons: dict[tuple[str, str], list[str]] = {}
    for key, row in rows.items():
        if row["why"]:
            reasons.setdefault((key[1], row["why"]), []).append(str(key[3]))
        for one in row["ours"].values():
            if one["verdicts"][GOODPUT] == INVALID:
                why = "; ".join(map(str, one["reasons"]))
                reasons.setdefault((key[1], why), []).append(str(key[3]))
    return [
        "* %s at %s: %s" % (server, ", ".join(counts), why)
        for (server, why), counts in reasons.items()
    ]
