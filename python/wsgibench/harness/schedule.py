"""How long a run takes, and how it keeps the time it was given, if it was."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import time
from collections.abc import Callable, Iterator, Sequence

from wsgibench.harness import budget, environments, machine, servers
from wsgibench.harness.application_run import ApplicationRun
from wsgibench.harness.budget import Allocation, Budget, Pace, Part
from wsgibench.harness.calm import Calm
from wsgibench.harness.interpreters import Interpreter
from wsgibench.harness.plan import Cell
from wsgibench.harness.progress import Progress, planned, text

#: About how many seconds it takes to make an environment, by what is in it;
#: several are made at once.
MAKING = {"CPython": 8.0, "PyPy": 18.0, "wsgibench": 30.0}


class Schedule:
    def __init__(
        self,
        interpreters: dict[str, Interpreter],
        application_run: ApplicationRun | None,
        starts: int,
        time_given: Budget | None,
        tell: Callable[[str], None],
    ) -> None:
        self._interpreters = interpreters
        self._application_run = application_run
        self._starts = starts
        self._budget = time_given
        self._tell = tell
        self._warmup = 0.0  # of a JIT, as allocated
        self._pace: Pace | None = None
        self._planned = 0.0  # seconds, of all that was begun
        self.progress = Progress([])
        self.calm = Calm(machine.split_cpus()[0], tell, self._patience)

    # -- before the first start

    def making(self, cells: Sequence[Cell]) -> tuple[int, float]:
        """(environments that are not there yet, about how many seconds it
        takes to make them)"""
        pairs = [
            (
                self._interpreters[cell.python],
                servers.find(cell.server).name,
            )
            for cell in cells
        ]
        found = environments.missing(pairs)
        if self._application_run is not None:
            found += self._application_run.missing(
                dict.fromkeys(i for i, _ in pairs)
            )
        seconds = sum(
            MAKING.get(implementation, MAKING["CPython"])
            + MAKING.get(name, 0.0)
            for implementation, name in found
        )
        return len(found), seconds / (os.cpu_count() or 1)

    def allocation(self, cells: Sequence[Cell], left: float) -> Allocation:
        """Of so many seconds: the starts, and a block's baselines."""
        parts = [*self.alone(cells), *map(self._part, cells)]
        return budget.allocate(left, parts, self._starts)

    def allocate(self, cells: Sequence[Cell]) -> int:
        """The starts for which there is time; says so."""
        if self._budget is None or not cells:
            return self._starts
        found = self.allocation(cells, self._budget.left())
        self._tell(
            "%d starts of each in about %s%s"
            % (
                found.starts,
                text(found.seconds),
                ", PyPy warmed up for at most %.0f s" % found.warmup
                if any(map(self._is_jit, cells))
                else "",
            )
        )
        self._warmup = found.warmup
        return found.starts

    def alone(self, cells: Sequence[Cell]) -> list[Part]:
        """The baselines of a block: one for each interpreter."""
        if self._application_run is None:
            return []
        alone = {cell.python: cell for cell in cells}.values()
        return [
            Part(
                self._application_run.load_alone(cell.load), self._is_jit(cell)
            )
            for cell in alone
        ]

    def _part(self, cell: Cell) -> Part:
        return Part(cell.load, self._is_jit(cell))

    def _is_jit(self, cell: Cell) -> bool:
        return self._interpreters[cell.python].implementation == "PyPy"

    # -- while it runs

    def begin(self, todo: Sequence[tuple[int, Cell]]) -> None:
        if self._budget is None:
            self.progress = Progress(todo, planned)
            self._planned += self.progress.left()
            return
        cells = list(dict.fromkeys(cell for _, cell in todo))
        parts, begun = [], -1
        for start, cell in todo:
            parts += self.alone(cells) if start > begun else []
            parts.append(self._part(cell))
            begun = start
        pace = self._pace = Pace(parts, self._warmup, self._budget.left)
        self.progress = Progress(
            todo, lambda cell: self._part(cell).seconds(pace.warmup())
        )

    @contextlib.contextmanager
    def timed(self, count: int = 1) -> Iterator[float | None]:
        """The seconds that the next so many parts may warm up; None: as long
        as they like."""
        if self._pace is None:
            yield None
            return
        warmup, before = self._pace.warmup(), time.monotonic()
        try:
            yield warmup
        finally:
            self._pace.took(time.monotonic() - before, warmup, count)

    def _patience(self) -> float:
        """Seconds that the run may wait in all: as long as it was planned to
        take, or what its starts leave of the time that it was given."""
        if self._budget is None:
            return self._planned
        spare = self._budget.left() - self.progress.left()
        return self.calm.waited + spare

    def in_time(self) -> bool:
        """Whether a start may be measured once more."""
        if self._budget is None:
            return True
        return self.progress.left() < self._budget.left()

    def is_over(self, block: int) -> bool:
        """Whether there is no time for this block."""
        if self._budget is None or block < budget.FEWEST:
            return False
        return self.progress.left(block) > self._budget.left()


def settling(cell: Cell, most: float | None) -> Cell:
    """With that limit of its warm-up, in seconds."""
    if most is None or cell.load.settle <= most:
        return cell
    load = dataclasses.replace(cell.load, settle=most)
    return dataclasses.replace(cell, load=load)
