"""Requests/s over the number of connections, a column a server, with a bar
for each number, and below it what was not reached."""

from __future__ import annotations

import math
from typing import Any

from wsgibench.stats import columns
from wsgibench.verdicts import GOODPUT, INVALID

BARS = " ▁▂▃▄▅▆▇█"
#: A number and how it is shown.
NOTHING = (0.0, "-")


def tables(
    name: str, rows: dict[Any, dict[str, Any]]
) -> list[tuple[str, Any]]:
    """(title, table), one a scenario and Python."""
    found: list[tuple[str, Any]] = []
    scenarios = list(dict.fromkeys(key[0] for key in rows))
    every = (python for row in rows.values() for python in row["ours"])
    pythons = list(dict.fromkeys(every))
    for scenario in scenarios:
        here = {key: row for key, row in rows.items() if key[0] == scenario}
        for python in pythons:
            title = "%s: %s on %s, requests/s by connections"
            title %= (name, scenario, python)
            found.append((title, _table(python, here)))
    return found


def bar(value: float | None, top: float) -> str:
    """On a logarithmic scale of three decades below the best."""
    if not value or not top:
        return " "
    height = 1 + (math.log10(value / top) + 3) / 3 * (len(BARS) - 2)
    return BARS[max(1, min(len(BARS) - 1, round(height)))]


def _table(python: str, rows: dict[Any, dict[str, Any]]) -> Any:
    from rich.table import Table

    servers = list(dict.fromkeys(key[1] for key in rows))
    counts = sorted({key[3] for key in rows})
    values = {
        (key[1], key[3]): _printed(row["ours"].get(python))
        for key, row in rows.items()
    }
    top = max((value for value, _ in values.values()), default=0.0)
    table = Table(box=None, pad_edge=False)
    table.add_column("c", justify="right")
    for server in servers:
        table.add_column(server, justify="right")
    for count in counts:
        pairs = (values.get((server, count), NOTHING) for server in servers)
        cells = (_cell(*pair, top) for pair in pairs)
        table.add_row(str(count), *cells)
    return table


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
