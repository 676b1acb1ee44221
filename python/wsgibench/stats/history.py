"""The course of each number over the records of many runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from wsgibench.stats import (
    changepoints,
    counted,
    gate,
    machine,
    noise,
    summary,
)
from wsgibench.stats.samples import Array
from wsgibench.verdicts import INVALID

#: Of which numbers there is a course, and how they are called.
NUMBERS = {
    "server_cpu_us": "server CPU us",
    "goodput": "requests/s",
    "instructions": "instructions",
    "calls": "system calls",
}
VERDICT_OF = {"server_cpu_us": "server_cpu_us", "goodput": "goodput"}
#: What a change must be to be one, as a part and in all: as in the gate.
LEAST = {
    "server_cpu_us": (gate.TIMED_MARGIN, 0.0),
    "goodput": (gate.TIMED_MARGIN, 0.0),
    "instructions": (counted.MARGIN, 0.0),
    "calls": (counted.MARGIN, counted.CALLS),
}


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
    machine: str

    def change(self, index: int) -> float:
        """From the level before to the one that begins there: 0.05 is 5 %
        more."""
        values = np.array([point.value for point in self.points])
        before, after = _levels(values, self.changes)[index]
        return after / before - 1


def _levels(
    values: Array, changes: Sequence[int]
) -> dict[int, tuple[float, float]]:
    """Of each change, the level before it and the one that begins there."""
    parts = np.split(values, list(changes))
    medians = [float(np.median(part)) for part in parts]
    return dict(zip(changes, zip(medians, medians[1:])))


def _changes(values: Array, number: str) -> tuple[int, ...]:
    """Those of a size that counts. The smallest goes first: small steps one
    way may together be a large one."""
    found = changepoints.find(values)
    while found:
        levels = _levels(values, found)
        least = min(found, key=lambda at: abs(levels[at][1] - levels[at][0]))
        if counted.decide(*levels[least], *LEAST[number])[0] != counted.SAME:
            break
        found.remove(least)
    return tuple(found)


def version(record: dict[str, Any]) -> str:
    commit = record.get("commit", "")
    return " ".join(filter(None, [record["wsgibench"], commit]))


def _machine(record: dict[str, Any]) -> tuple[tuple[Any, ...], str]:
    """(equal for records of one course, in words). What is counted is the
    same on other machines, but libraries choose instructions by the CPU."""
    cpu = record["machine"].get("cpu", "")
    if counted.is_counted(record):
        return (cpu,), cpu
    key = machine.identity(record)
    *_, system, cpus = key
    return key, "%s, %d CPUs, %s" % (cpu, cpus, system)


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
        if name in row
        and row["verdicts"][number] != INVALID
        and not (name == "goodput" and row["client_limited"])
    }


def courses(records: Sequence[dict[str, Any]]) -> list[Course]:
    """Of every cell that two records of one machine have. What is INVALID is
    left out, and requests/s that are a lower bound, for the client was the
    limit. Changes are found as those of a warm-up are (changepoints.py)."""
    found: dict[Any, tuple[str, str, list[Point]]] = {}
    for record in sorted(records, key=lambda one: str(one["created"])):
        where, words = _machine(record)
        for cell in record["cells"]:
            if cell.get("aa"):
                continue
            for number, value in _numbers(record, cell).items():
                key = (noise.identity(cell), where, number)
                point = Point(record["created"], version(record), value)
                new: tuple[str, str, list[Point]] = (cell["name"], words, [])
                found.setdefault(key, new)[2].append(point)
    made = []
    for (*_, number), (name, words, points) in found.items():
        if len(points) < 2:
            continue
        values = np.array([point.value for point in points])
        changes = _changes(values, number)
        made.append(Course(name, number, tuple(points), changes, words))
    return made
