"""A published benchmark again: our numbers beside the published ones.

Every row of the suite is there; one without a number says why.
"""

from __future__ import annotations

import io
from typing import Any

from wsgibench.stats.summary import row as summarise

HELP = "ours beside the published numbers of a suite"

Key = tuple[str, str, str, int]  # scenario, server, load, connections


def _number(value: float | None) -> str:
    return "-" if value is None else "%.0f" % value


def _label(python: dict[str, str]) -> str:
    return "%s %s" % (python["implementation"], python["version"])


def collect(record: dict[str, Any]) -> dict[Key, dict[str, Any]]:
    """{key: {"ours": {python: row}, "why": reason}} in the suite's order."""
    found: dict[Key, dict[str, Any]] = {}
    for key in _keys(record["suite"]):
        found[key] = {"ours": {}, "why": ""}
    for cell in record["cells"]:
        load = cell["load"]
        key = (
            cell["scenario"],
            cell["server"],
            load["name"],
            load["connections"],
        )
        entry = found.setdefault(key, {"ours": {}, "why": ""})
        entry["ours"][_label(cell["python"])] = summarise(cell)
    for failure in [*record["skipped"], *record["failures"]]:
        for key, entry in found.items():
            asked = (failure.get("scenario"), failure.get("server"))
            if key[:2] == asked and failure.get("load") == key[2]:
                entry["why"] = failure["reason"]
    return found


def _keys(suite: dict[str, Any]) -> list[Key]:
    loads = suite["loads"]
    keys: dict[Key, None] = {}
    for matrix in suite["matrix"]:
        for name in matrix.get("loads", loads):
            points = loads[name].get("sweep")
            points = points or [loads[name].get("connections", 1)]
            for scenario in matrix["scenarios"]:
                for server in matrix["servers"]:
                    for count in points:
                        keys[scenario, server, name, count] = None
    return list(keys)


def published(suite: dict[str, Any], key: Key) -> dict[str, float]:
    """{what it ran on: requests/s}"""
    return {
        number["python"]: number["value"]
        for number in suite.get("published", [])
        if (number["scenario"], number["server"], number["load"]) == key[:3]
    }


def render(record: dict[str, Any], width: int = 160) -> str:
    from rich.console import Console
    from rich.table import Table

    suite = record["suite"]
    rows = collect(record)
    every = (python for row in rows.values() for python in row["ours"])
    pythons = list(dict.fromkeys(every))
    numbers = suite.get("published", [])
    sources = list(dict.fromkeys(number["python"] for number in numbers))
    table = Table(box=None, pad_edge=False)
    for title in ("scenario", "server", "load", "c"):
        table.add_column(title, overflow="fold")
    for python in pythons:
        table.add_column(python + " req/s", justify="right")
        table.add_column("CPU us", justify="right")
        table.add_column("p99 ms", justify="right")
    for source in sources:
        table.add_column("published: " + source, justify="right")
    table.add_column("remarks", overflow="fold")
    for key, row in rows.items():
        table.add_row(
            *(str(part) for part in key),
            *_ours(row["ours"], pythons),
            *(_number(published(suite, key).get(s)) for s in sources),
            _remarks(row),
        )
    out = io.StringIO()
    console = Console(file=out, width=width, color_system=None)
    console.print("%s: %s" % (suite["name"], suite["about"]), markup=False)
    if "source" in suite:
        console.print("published in " + suite["source"], markup=False)
    console.print(table)
    return out.getvalue()


def _ours(ours: dict[str, Any], pythons: list[str]) -> list[str]:
    cells = []
    for python in pythons:
        row = ours.get(python, {})
        cells.append(_number(row.get("goodput")))
        cpu, p99 = row.get("server_cpu_us"), row.get("p99_ns")
        cells.append("-" if cpu is None else "%.1f" % cpu)
        cells.append("-" if p99 is None else "%.3g" % (p99 / 1e6))
    return cells


def _remarks(row: dict[str, Any]) -> str:
    remarks = [
        "%s on %s%s"
        % (one["verdict"], python, _because(one["reasons"]))
        for python, one in row["ours"].items()
        if one["verdict"] != "VALID"
    ]
    if row["why"]:
        remarks.append(row["why"])
    return "; ".join(remarks)


def _because(reasons: list[str]) -> str:
    return " (%s)" % "; ".join(reasons) if reasons else ""
