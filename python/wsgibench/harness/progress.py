"""How long a run will take, and what of it is left."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from wsgibench.harness.plan import Cell

#: Seconds of a start beside its load: the process, its probes, its end.
BESIDE = 1.5
#: Requests/s that are usual without keep-alive.
USUAL = 3000.0
#: Seconds in which most settle that warm up by themselves; with a JIT, which
#: is known by its longer limit.
SETTLING, SETTLING_JIT, LONG = 2.0, 15.0, 60.0


def planned(cell: Cell) -> float:
    """Seconds that one start is likely to take. A load of so many requests
    ends with them; the duration is then only its limit."""
    load = cell.load
    if load.requests:
        return min(load.duration, load.requests / USUAL) + BESIDE
    usual = SETTLING_JIT if load.settle >= LONG else SETTLING
    settling = min(usual, load.settle)
    return load.warmup + settling + load.duration + BESIDE


def text(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return "%d h %02d min" % (hours, minutes)
    return "%d min %02d s" % (minutes, rest) if minutes else "%d s" % rest


class Progress:
    """Corrected by what the starts of each cell took so far."""

    def __init__(
        self,
        todo: Sequence[tuple[int, Cell]],
        planned: Callable[[Cell], float] = planned,
    ) -> None:
        self._todo = list(todo)
        self._planned = planned
        self._took: dict[Cell, float] = {}
        self._begun = 0.0
        self._number = 0

    def _expected(self, cell: Cell) -> float:
        if cell in self._took:
            return self._took[cell]
        plans = sum(self._planned(one) for one in self._took)
        factor = sum(self._took.values()) / plans if plans else 1.0
        return self._planned(cell) * factor

    def left(self, block: int | None = None) -> float:
        """Seconds, the start that begins now included; of one block only."""
        rest = self._todo[self._number :]
        return sum(
            self._expected(cell)
            for start, cell in rest
            if block is None or start == block
        )

    def begin(self) -> str:
        """A line for the start that begins now."""
        _, cell = self._todo[self._number]
        self._begun = time.monotonic()
        return "[%d/%d, %s left] %s" % (
            self._number + 1,
            len(self._todo),
            text(self.left()),
            cell.name,
        )

    def end(self) -> None:
        _, cell = self._todo[self._number]
        self._took[cell] = time.monotonic() - self._begun
        self._number += 1
