"""What the machine did between two runs: ``null``, measured in both.

It says nothing of the machine where its number is no measurement. Nor do its
requests/s where the client was the limit of them: those are the client's. How
fast the machine was is then seen by null's CPU per request, which a saturated
server's requests/s follow as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from wsgibench.stats import noise, ratios, samples, summary, waiting
from wsgibench.stats.samples import Series
from wsgibench.verdicts import CPU, GOODPUT, INVALID

Cell = dict[str, Any]
Record = dict[str, Any]
Row = dict[str, Any]

#: Which number's verdict a metric falls under.
NUMBER_OF = {"server_cpu_us": CPU, "server_cpu_us_quiet": CPU}


def by_identity(record: Record) -> dict[str, Cell]:
    return {
        noise.identity(cell): cell
        for cell in record["cells"]
        if not cell.get("aa")
    }


def doubt(metric: str, *rows: Row) -> str:
    """Why a number of A, or of B, is no measurement; "" if both are one."""
    number = NUMBER_OF.get(metric, GOODPUT)
    for name, row in zip("AB", rows):
        if row["verdicts"][number] == INVALID:
            against = [o for o in row["doubts"] if number in o["numbers"]]
            reasons = "; ".join(one["what"] for one in against)
            return "%s is INVALID: %s" % (name, reasons)
    return ""


def limited(*rows: Row) -> bool:
    return any(row["client_limited"] for row in rows)


@dataclass(frozen=True)
class Reference:
    """The null cells of A and of B, and their rows."""

    cells: tuple[Cell, Cell]
    rows: tuple[Row, Row]

    def number(self, metric: str) -> tuple[str, str]:
        """(null's number that this one is held against, why there is none):
        one of the two is ""."""
        instead = metric
        if metric == "goodput" and limited(*self.rows):
            if not waiting.saturates(self.cells[0]["load"]):
                return "", "the client was the limit of null"
            instead = "server_cpu_us"
        wrong = doubt(instead, *self.rows)
        return ("", "null of " + wrong) if wrong else (instead, "")

    def series(self, side: int, metric: str) -> dict[int, Series]:
        """By block, in the sense of `metric`: more requests/s go with less
        CPU. `side` is 0 for A."""
        number, _ = self.number(metric)
        found = {
            block: one.series(number)
            for block, one in samples.measured(self.cells[side]).items()
        }
        if number == metric:
            return found
        return {
            block: Series(one.below, one.above) for block, one in found.items()
        }

    @property
    def machines(self) -> list[float]:
        """How many times longer B's machine may have taken than A's, by the
        CPU per request of null: not at all, and the limits of its ratio."""
        metric = "server_cpu_us"
        if doubt(metric, *self.rows):
            return [1.0]
        a, b = (samples.of_cell(cell, metric) for cell in self.cells)
        found = ratios.between(b, a)
        return [1.0, found.low, found.high] if found.known else [1.0]


def of_records(a: Record, b: Record) -> dict[str, Reference]:
    """By the identity of the cells that can be held against it."""
    cells = by_identity(a), by_identity(b)
    found: dict[str, Reference] = {}
    nulls: dict[str, Reference] = {}
    for key, cell in cells[0].items():
        ceiling = noise.identity({**cell, "server": summary.CEILING})
        if cell["server"] == summary.CEILING or key not in cells[1]:
            continue
        if not all(ceiling in side for side in cells):
            continue
        if ceiling not in nulls:
            pair = cells[0][ceiling], cells[1][ceiling]
            nulls[ceiling] = Reference(
                pair, (summary.row(pair[0]), summary.row(pair[1]))
            )
        found[key] = nulls[ceiling]
    return found
