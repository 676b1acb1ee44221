"""A whole run: environments first, then the starts in their order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from wsgibench.errors import WsgibenchError
from wsgibench.harness import cell as cell_module
from wsgibench.harness import environments, machine, plan, record
from wsgibench.harness.environments import Environment
from wsgibench.harness.interpreters import Interpreter
from wsgibench.harness.plan import Cell

Tell = Callable[[str], None]


def _entry(
    cell: Cell, interpreter: Interpreter, versions: dict[str, str]
) -> dict[str, Any]:
    return {
        "name": cell.name,
        "server": cell.server,
        "python": interpreter.to_json(),
        "scenario": cell.scenario,
        "load": cell.load.to_json(),
        "versions": versions,
        "starts": [],
    }


class Run:
    def __init__(
        self,
        cells: list[Cell],
        interpreters: dict[str, Interpreter],
        *,
        starts: int,
        seed: int,
        port: int,
        argv: list[str],
        output: Path,
        tell: Tell,
        missing: Sequence[str] = (),
    ) -> None:
        self._cells = cells
        self._interpreters = interpreters
        self._starts = starts
        self._seed = seed
        self._port = port
        self._output = output
        self._tell = tell
        self.record = record.new(argv, seed, machine.describe())
        for reason in missing:
            self.record["failures"].append({"cell": "", "reason": reason})
            tell(reason)

    def _fail(self, cell: Cell, error: Exception) -> None:
        text = str(error)
        self.record["failures"].append({"cell": cell.name, "reason": text})
        self._tell("%s: %s" % (cell.name, text))
        record.write(self.record, self._output)

    def _prepare(self) -> dict[tuple[str, str], Environment]:
        """Environments of all cells; a cell without one fails here."""
        ready: dict[tuple[str, str], Environment] = {}
        failed: dict[tuple[str, str], Exception] = {}
        for cell in self._cells:
            key = (cell.server, cell.python)
            if key not in ready and key not in failed:
                try:
                    ready[key] = environments.get(
                        self._interpreters[cell.python],
                        cell.server,
                        self._tell,
                    )
                except WsgibenchError as error:
                    failed[key] = error
            if key in failed:
                self._fail(cell, failed[key])
        return ready

    def execute(self) -> dict[str, Any]:
        ready = self._prepare()
        cells = [c for c in self._cells if (c.server, c.python) in ready]
        entries = {}
        for cell in cells:
            environment = ready[cell.server, cell.python]
            entries[cell] = _entry(
                cell, self._interpreters[cell.python], environment.versions
            )
            self.record["cells"].append(entries[cell])
        cpus = machine.split_cpus()
        todo = plan.order(cells, self._starts, self._seed)
        for number, (start, cell) in enumerate(todo, 1):
            self._tell("[%d/%d] %s" % (number, len(todo), cell.name))
            try:
                observed = cell_module.run(
                    cell,
                    ready[cell.server, cell.python],
                    start=start,
                    seed=self._seed + start,
                    cpus=cpus,
                    port=self._port,
                )
            except WsgibenchError as error:
                self._fail(cell, error)
                continue
            entries[cell]["starts"].append(observed)
            record.write(self.record, self._output)
        self.record["complete"] = True
        record.write(self.record, self._output)
        return self.record
