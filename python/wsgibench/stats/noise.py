"""The noise floor: one server measured twice under two names (A/A).

Whatever difference shows between the two is none, so no smaller difference
between others is worth a word.
"""

from __future__ import annotations

import json
from typing import Any

from wsgibench.stats import bootstrap, ratios, samples
from wsgibench.stats.bootstrap import Interval
from wsgibench.stats.samples import Windows

Cell = dict[str, Any]


def identity(cell: dict[str, Any]) -> str:
    """Equal for what is the same cell but for its being measured again."""
    python = cell["python"]
    load = dict(cell["load"])
    if load.get("fraction"):
        load["rate"] = 0.0  # a consequence of the capacity, not asked for
    return json.dumps(
        [
            cell["server"],
            python["implementation"],
            python["version"],
            python.get("build", ""),
            python.get("switches", ""),
            cell["scenario"],
            load,
        ],
        sort_keys=True,
    )


def paired(
    above: dict[str, Any], below: dict[str, Any], metric: str
) -> Interval | None:
    """The ratio of two cells of one record, start by start; None without
    a start that both have."""
    return in_blocks(samples.measured(above), samples.measured(below), metric)


def in_blocks(
    above: dict[int, Windows], below: dict[int, Windows], metric: str
) -> Interval | None:
    """`paired`, of what samples.measured() found of the two."""
    blocks = sorted(above.keys() & below.keys())
    if not blocks:
        return None
    return bootstrap.ratio(
        [above[block].series(metric) for block in blocks],
        [below[block].series(metric) for block in blocks],
        paired=True,
    )


def pairs(record: dict[str, Any]) -> list[tuple[Cell, Cell]]:
    """Each A/A cell with what it repeats."""
    firsts = {
        identity(cell): cell for cell in record["cells"] if not cell.get("aa")
    }
    return [
        (cell, firsts[identity(cell)])
        for cell in record["cells"]
        if cell.get("aa") and identity(cell) in firsts
    ]


def floor(record: dict[str, Any], metric: str) -> Interval | None:
    """The ratio of the A/A pair, by the method that runs are compared with;
    of the noisier pair if there are more."""
    found = [
        [samples.of_cell(cell, metric) for cell in pair]
        for pair in pairs(record)
    ]
    known = [ratios.between(*pair) for pair in found if all(pair)]
    return max(known, key=spread, default=None)


def spread(interval: Interval) -> float:
    """How far from 1 the two were seen (0.02: 2 %), either way."""
    return max(interval.estimate, 1 / interval.estimate) - 1
