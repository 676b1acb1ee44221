"""A published benchmark again: our numbers beside the published ones.

Every row of the suite is there; one without a number says why. A sweep over
connections has a table of its own, a column a server. Beside the CPU per
request stands how far its starts lie apart: half of the way from the least to
the most.
"""

from __future__ import annotations

from typing import Any

from wsgibench import runtimes
from wsgibench.errors import UsageError
from wsgibench.reports import _terminal
from wsgibench.reports._terminal import NAME, NUMBER, TEXT, Page
from wsgibench.stats import columns
from wsgibench.stats.summary import row as summarise
from wsgibench.verdicts import INVALID, sentence

HELP = "ours beside the published numbers of a suite"

Key = tuple[str, str, str, int]  # scenario, server, load, connections
Rows = dict[Key, dict[str, Any]]


def number(value: float | None) -> str:
    return "-" if value is None else columns.three(value)


def _label(python: dict[str, str]) -> str:
    return runtimes.name(python)


def collect(record: dict[str, Any]) -> Rows:
    """{key: {"ours": {python: row}, "cells": {python: cell}, "why": reason}}
    in the suite's order."""
    found: Rows = {}
    for key in _keys(record["suite"]):
        found[key] = {"ours": {}, "cells": {}, "why": ""}
    for cell in record["cells"]:
        load = cell["load"]
        key = (
            cell["scenario"],
            cell["server"],
            load["name"],
            load["connections"],
        )
        entry = found.setdefault(key, {"ours": {}, "cells": {}, "why": ""})
        if cell["starts"]:
            entry["ours"][_label(cell["python"])] = summarise(cell)
            entry["cells"][_label(cell["python"])] = cell
            fewer = _fewer(cell)
            if fewer:
                entry["notes"] = [*entry.get("notes", []), fewer]
    names = ("scenario", "server", "load", "connections")
    for failure in [*record.get("skipped", []), *record["failures"]]:
        failed = tuple(failure.get(name) for name in names)
        if failed in found:
            _missing(found[failed], failure)
    for entry in found.values():
        if not entry["ours"] and not entry["why"]:
            entry["why"] = "the run ended before it"
    return found


def _missing(entry: dict[str, Any], failure: dict[str, Any]) -> None:
    """A row without any number says why; one that has one on another
    interpreter says on which it has none."""
    reason = failure["reason"]
    if entry["ours"]:
        note = "not on %s: %s" % (failure.get("python", "all"), reason)
        entry["notes"] = [*entry.get("notes", []), note]
    else:
        entry["why"] = reason


def _fewer(cell: dict[str, Any]) -> str:
    """A sentence where the time ended before the requests: the protocol of
    the original was not kept."""
    asked = cell["load"].get("requests", 0)
    made = [start["load"]["classes"]["ok"] for start in cell["starts"]]
    if not asked or min(made) >= asked:
        return ""
    return "on %s %s of %d requests in the time of this profile" % (
        _label(cell["python"]),
        " and ".join(map(str, made)),
        asked,
    )


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


class Notes:
    """Footnotes: each reason once, however many rows have it."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def refer(self, reasons: list[str]) -> str:
        return " ".join(
            "[%d]" % self._numbers.setdefault(reason, len(self._numbers) + 1)
            for reason in reasons
        )

    def lines(self) -> list[str]:
        return ["[%d] %s" % (n, text) for text, n in self._numbers.items()]


def concluded(record: dict[str, Any]) -> list[str]:
    """What the original concluded, and whether it still holds."""
    from wsgibench.reports import _concluded

    return _concluded.lines(record, collect(record))


def render(
    record: dict[str, Any], width: int = 160, *, conclusions: bool = True
) -> str:
    from wsgibench.reports import _sweep

    if "suite" not in record:
        raise UsageError("it is not of a suite; its forms are: table, html.")
    suite = record["suite"]
    rows = collect(record)
    sweeps = {n for n, load in suite["loads"].items() if "sweep" in load}
    page = Page(width)
    say = page.line
    say("%s: %s" % (suite["name"], suite["about"]))
    if "source" in suite:
        say("published in " + suite["source"])
    notes = Notes()
    steady = {key: row for key, row in rows.items() if key[2] not in sweeps}
    if steady:
        page.table(*_table(suite, steady, notes))
    for name in sorted(sweeps):
        swept = {key: row for key, row in rows.items() if key[2] == name}
        _sweep.show(name, swept, page)
        for line in _sweep.notes(swept):
            say(line)
    for line in notes.lines():
        say(line)
    for failure in record["failures"]:
        if not failure.get("server"):
            say("* " + failure["reason"])
    for line in concluded(record) if conclusions else ():
        say("> " + line)
    return page.text()


def _table(
    suite: dict[str, Any], rows: Rows, notes: Notes
) -> tuple[list[_terminal.Column], list[list[str]]]:
    every = (python for row in rows.values() for python in row["ours"])
    pythons = list(dict.fromkeys(every))
    numbers = suite.get("published", [])
    sources = list(dict.fromkeys(number["python"] for number in numbers))
    titles = []
    for python in pythons:
        titles += [
            python.replace(" ", "\n") + "\nreq/s",
            *("\n\n" + title for title in ("CPU us", "+-%", "p99 ms")),
        ]
    titles += [
        "published:\n" + source.replace(" ", "\n", 1) for source in sources
    ]
    shown = []
    for key, row in rows.items():
        theirs = published(suite, key)
        shown.append(
            [
                *(str(part) for part in key),
                *_ours(row["ours"], pythons),
                *(number(theirs.get(source)) for source in sources),
                remarks(row, notes),
            ]
        )
    heads = [
        *_terminal.columns(NAME, "scenario", "server", "load", "c"),
        *_terminal.columns(NUMBER, *titles),
        *_terminal.columns(TEXT, "remarks"),
    ]
    return heads, shown


def printed(row: dict[str, Any], name: str) -> str:
    """Nothing that is no measurement is printed; its reason is."""
    if not row or row["verdicts"][columns.NUMBER_OF[name]] == INVALID:
        return "-"
    return columns.cell(row, name)


def _ours(ours: dict[str, Any], pythons: list[str]) -> list[str]:
    cells = []
    for python in pythons:
        row = ours.get(python, {})
        spread = row.get("cpu_spread")
        cells += [
            printed(row, "goodput"),
            printed(row, "server_cpu_us"),
            "-" if spread is None else "%.0f" % (50 * spread),
            printed(row, "p99_ns"),
        ]
    return cells


def remarks(row: dict[str, Any], notes: Notes) -> str:
    """The short names of the reasons, with their footnotes."""
    doubts = [one for ours in row["ours"].values() for one in ours["doubts"]]
    reasons = [sentence(one) for one in doubts]
    names = dict.fromkeys(one["code"] for one in doubts)
    if row["why"]:
        reasons.append(row["why"])
    reasons += row.get("notes", [])
    refer = notes.refer(list(dict.fromkeys(reasons)))
    return " ".join([", ".join(names), refer]).strip()
