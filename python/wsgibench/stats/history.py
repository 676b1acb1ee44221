"""The course of each number over the records of many runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from wsgibench.stats import changepoints, counted, noise, summary
from wsgibench.verdicts import INVALID

#: Of which numbers there is a course, and how they are called.
NUMBERS = {
    "server_cpu_us": "server CPU us",
    "goodput": "requests/s",
    "instructions": "instructions",
    "calls": "system calls",
}
VERDICT_OF = {"server_cpu_us": "server_cpu_us", "goodput": "goodput"}


@dataclass(frozen=True)
class Point:
    created: str
    version: str  # of wsgibench, and the commit where it is known
    value: float


@dataclass(frozen=True)
class Course:
    cell: str
    number: str
    points: tuple[Point, ...]  # by time
    changes: tuple[int, ...]  # the point at which each new level begins

    def change(self, index: int) -> float:
        """From the level before to the one that begins there: 0.05 is 5 %
        more."""
        edges = [0, *self.changes, len(self.points)]
        at = edges.index(index)
        values = [point.value for point in self.points]
        before = np.median(values[edges[at - 1] : index])
        after = np.median(values[index : edges[at + 1]])
        return float(after / before - 1)


def version(record: dict[str, Any]) -> str:
    commit = record.get("commit", "")
    return " ".join(filter(None, [record["wsgibench"], commit]))


def _numbers(record: dict[str, Any], cell: dict[str, Any]) -> dict[str, float]:
    if counted.is_counted(record):
        found = counted.of_cell(cell)
        if found is None:
            return {}
        return {"instructions": found.instructions, "calls": found.calls}
    row = summary.row(cell)
    return {
        name: row[name]
        for name, number in VERDICT_OF.items()
        if name in row and row["verdicts"][number] != INVALID
    }


def courses(records: Sequence[dict[str, Any]]) -> list[Course]:
    """Of every cell that two of the records have; what is INVALID is left
    out. Changes are found as those of a warm-up are (changepoints.py)."""
    found: dict[tuple[str, str], tuple[str, list[Point]]] = {}
    for record in sorted(records, key=lambda one: str(one["created"])):
        for cell in record["cells"]:
            if cell.get("aa"):
                continue
            for number, value in _numbers(record, cell).items():
                key = (noise.identity(cell), number)
                point = Point(record["created"], version(record), value)
                found.setdefault(key, (cell["name"], []))[1].append(point)
    made = []
    for (_, number), (name, points) in found.items():
        if len(points) < 2:
            continue
        values = np.array([point.value for point in points])
        changes = tuple(changepoints.find(values))
        made.append(Course(name, number, tuple(points), changes))
    return made
