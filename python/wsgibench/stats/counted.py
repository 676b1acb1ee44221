"""Counted records: a row for each cell, and two records held together.

What is counted repeats, on any machine and beside any neighbours, to some
tenths of a per cent; how far a cell's own turns lie apart is in the record,
and no smaller difference counts.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from wsgibench import runtimes
from wsgibench.stats import noise

KIND = "counted"
#: What a difference must be to count, if the noise is smaller.
MARGIN = 0.005
#: System calls and allocations are small numbers: so many of a request.
CALLS = 0.02

MORE, LESS, SAME = "more", "less", "the same"
NUMBERS = ("instructions", "calls", "allocations")


def is_counted(record: dict[str, Any]) -> bool:
    return record.get("kind") == KIND


def spread(values: Sequence[float]) -> float:
    """A robust standard error of their median, as a part of it."""
    if len(values) < 2:
        return 0.0
    middle = statistics.median(values)
    apart = statistics.median(abs(value - middle) for value in values)
    return 1.4826 * apart / middle / len(values) ** 0.5 if middle else 0.0


def noise_of_pairs(cell: dict[str, Any]) -> float:
    """Of a cell that was counted in turns together with another, and of how
    much it lies above that one."""
    found = [start["counted"] for start in cell["starts"]]
    return max(spread(one.get("paired", one["turns"])) for one in found)


@dataclass(frozen=True)
class Counted:
    """A cell's numbers, each of one request; medians of the starts."""

    name: str
    row: dict[str, Any]
    instructions: float
    noise: float  # of it, as a part
    calls: float
    by_name: dict[str, float]
    switches: float
    allocations: float | None
    counter: str
    starts: int


def _all_names(starts: Sequence[dict[str, Any]]) -> list[str]:
    return sorted({name for one in starts for name in one.get("calls", {})})


def of_cell(cell: dict[str, Any]) -> Counted | None:
    """None without a start that gave a result."""
    found = [start["counted"] for start in cell["starts"]]
    if not found:
        return None

    def middle(values: Sequence[float]) -> float:
        return float(statistics.median(values))

    by_name = {
        name: middle([one.get("calls", {}).get(name, 0.0) for one in found])
        for name in _all_names(found)
    }
    allocations = [o["allocations"] for o in found if "allocations" in o]
    each = [one["instructions"] for one in found]
    apart = (max(each) - min(each)) / middle(each) if middle(each) else 0.0
    python = cell["python"]
    return Counted(
        name=cell["name"],
        row={
            "server": cell["server"],
            "python": runtimes.name(python, cell["starts"]),
            "scenario": cell["scenario"],
            "connections": cell["load"]["connections"],
            "keepalive": cell["load"]["keepalive"],
            "headers": cell["load"]["headers"],
        },
        instructions=middle(each),
        noise=max(apart / 2, *(spread(one["turns"]) for one in found)),
        calls=sum(by_name.values()),
        by_name=by_name,
        switches=middle([one["switches"] for one in found]),
        allocations=middle(allocations) if allocations else None,
        counter=found[0]["counter"],
        starts=len(found),
    )


def rows(record: dict[str, Any]) -> list[Counted]:
    """Cheapest first, alike loads together."""
    found = [one for one in map(of_cell, record["cells"]) if one is not None]

    def place(one: Counted) -> tuple[Any, ...]:
        row = one.row
        return (
            row["scenario"],
            row["connections"],
            row["python"],
            one.instructions,
        )

    return sorted(found, key=place)


@dataclass(frozen=True)
class Difference:
    cell: str
    number: str  # instructions, calls, allocations
    a: float
    b: float
    verdict: str
    reason: str

    @property
    def ratio(self) -> float | None:
        """B / A."""
        return self.b / self.a if self.a else None


def decide(
    a: float, b: float, relative: float, absolute: float = 0.0
) -> tuple[str, str]:
    """(verdict, reason): how much B lies above A, and what is too little."""
    limit = max(relative * a, absolute)
    if abs(b - a) <= limit:
        if absolute > relative * a:
            return SAME, "within %.2f" % absolute
        return SAME, "within %.2f %%" % (100 * relative)
    return (MORE if b > a else LESS), ""


def differences(
    one: Counted, other: Counted, margin: float = MARGIN
) -> list[Difference]:
    """What is counted of B against A; noise of either widens the margin."""
    limit = max(margin, 3 * one.noise, 3 * other.noise)
    found = [
        Difference(
            one.name,
            "instructions",
            one.instructions,
            other.instructions,
            *decide(one.instructions, other.instructions, limit),
        )
    ]
    pairs = [("calls", one.calls, other.calls)]
    if one.allocations is not None and other.allocations is not None:
        pairs.append(("allocations", one.allocations, other.allocations))
    for number, a, b in pairs:
        decided = decide(a, b, margin, CALLS)
        if decided[0] != SAME and number == "calls":
            decided = decided[0], _which(one.by_name, other.by_name)
        found.append(Difference(one.name, number, a, b, *decided))
    return found


def _which(a: dict[str, float], b: dict[str, float]) -> str:
    """The calls whose number changed."""
    changed = [
        "%s %.2f -> %.2f" % (name, a.get(name, 0.0), b.get(name, 0.0))
        for name in sorted({*a, *b})
        if abs(a.get(name, 0.0) - b.get(name, 0.0)) > CALLS / 2
    ]
    return ", ".join(changed)


def compare(
    a: dict[str, Any], b: dict[str, Any], margin: float = MARGIN
) -> list[Difference]:
    """Cell by cell, of the cells that both have."""
    others = {noise.identity(cell): cell for cell in b["cells"]}
    found = []
    for cell in a["cells"]:
        other = others.get(noise.identity(cell))
        if cell.get("aa") or other is None:
            continue
        pair = of_cell(cell), of_cell(other)
        if pair[0] is not None and pair[1] is not None:
            found += differences(pair[0], pair[1], margin)
    return found
