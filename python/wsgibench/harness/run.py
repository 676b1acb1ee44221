"""A whole run: environments first, then the starts in their order."""

from __future__ import annotations

import dataclasses
import functools
import os
import statistics
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

from wsgibench.errors import WsgibenchError
from wsgibench.harness import (
    audits,
    environments,
    limits,
    machine,
    plan,
    record,
    scenario,
    servers,
)
from wsgibench.harness import cell as cell_module
from wsgibench.harness import resume as resuming
from wsgibench.harness.again import Again, Spoilt
from wsgibench.harness.application_run import ApplicationRun
from wsgibench.harness.budget import Budget
from wsgibench.harness.environments import Environment
from wsgibench.harness.interpreters import Interpreter
from wsgibench.harness.plan import Cell
from wsgibench.harness.scenario import Scenario
from wsgibench.harness.schedule import Schedule, settling
from wsgibench.harness.services import Services

Tell = Callable[[str], None]


def _entry(
    cell: Cell, interpreter: Interpreter, environment: Environment
) -> dict[str, Any]:
    audited = audits.find(cell.server, environment, interpreter.label)
    return {
        "name": cell.name,
        "server": cell.server,
        "python": interpreter.to_json(),
        "scenario": cell.scenario,
        "load": cell.load.to_json(),
        "versions": environment.versions,
        **({"aa": True} if cell.aa else {}),
        **({"audit": audited} if audited else {}),
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
        suite: dict[str, Any] | None = None,
        earlier: dict[str, Any] | None = None,
        enough: Callable[[dict[str, Any]], bool] = lambda record: False,
        further: int = 0,
        wants_more: Callable[[dict[str, Any]], bool] = lambda cell: False,
        review: Callable[[dict[str, Any]], None] = lambda record: None,
        again: int = 0,
        spoilt: Spoilt = lambda start, load: "",
        measure: Callable[..., dict[str, Any]] = cell_module.run,
        application_run: ApplicationRun | None = None,
        budget: Budget | None = None,
    ) -> None:
        self._cells = cells
        self._possible: list[Cell] | None = None
        self._interpreters = interpreters
        self._starts = starts
        self._seed = seed
        self._port = port
        self._output = output
        self.unwritten = ""  # why the record could not be written
        self._tell = tell
        self._made: dict[tuple[Any, ...], Future[Any]] = {}
        self._servers = {c.server: servers.find(c.server) for c in cells}
        self._application_run = application_run
        self.schedule = Schedule(
            interpreters, application_run, starts, budget, tell
        )
        self._scenarios = (
            {application_run.scenario.name: application_run.scenario}
            if application_run
            else {c.scenario: scenario.find(c.scenario) for c in cells}
        )
        self.record = record.new(argv, seed, machine.describe())
        self.record["starts"] = starts
        self._earlier = earlier
        self._enough = enough
        self._further = further
        self._wants_more = wants_more
        self._review = review
        self._measure = measure
        self._again = Again(
            again,
            starts * len(cells),
            spoilt,
            tell,
            self.schedule.in_time,
            self.schedule.calm.wait,
        )
        if earlier is not None:
            resuming.check_machine(earlier, self.record["machine"])
            self.record["created"] = earlier["created"]
            self.record["resumed"] = earlier.get("resumed", 0) + 1
        self.record["skipped"] = []
        if suite is not None:
            self.record["suite"] = suite
        if application_run is not None:
            self.record["application"] = application_run.to_json()
            self.record["baselines"] = (earlier or {}).get("baselines", [])
        for reason in missing:
            self.record["failures"].append({"cell": "", "reason": reason})
            tell(reason)

    def fail(self, cell: Cell, error: Exception) -> None:
        text = str(error)
        entry = dict(_names(cell), cell=cell.name, reason=text)
        self.record["failures"].append(entry)
        self._tell("%s: %s" % (cell.name, text))
        self.keep()

    def keep(self) -> None:
        """Writes the record. A full disk may have room again after the next
        start: what was measured goes on, and `unwritten` says why not."""
        try:
            record.write(self.record, self._output)
        except WsgibenchError as error:
            if not self.unwritten:
                self._tell(str(error))
            self.unwritten = str(error)
        else:
            self.unwritten = ""

    def _why_skip(self, cell: Cell) -> str:
        """Pairs that cannot exist and points that cannot be reached."""
        server = self._servers[cell.server]
        options = {**server.constants.get("OPTIONS", {}), **server.options}
        return (
            servers.why_not(server.name, self._interpreters[cell.python])
            or servers.why_not_scenario(server, self._scenarios[cell.scenario])
            or limits.why_skip(
                cell.load.connections, int(options.get("workers", 1))
            )
        )

    def possible(self) -> list[Cell]:
        """The others go into the record, once, with the reason."""
        if self._possible is None:
            self._possible = []
            for cell in self._cells:
                reason = self._why_skip(cell)
                if not reason:
                    self._possible.append(cell)
                    continue
                entry = dict(_names(cell), cell=cell.name, reason=reason)
                self.record["skipped"].append(entry)
        return self._possible

    def _environment(self, cell: Cell) -> Environment:
        interpreter = self._interpreters[cell.python]
        name = self._servers[cell.server].name
        made: Environment
        if self._application_run is not None:
            application_run = self._application_run
            made = self._once(
                (cell.python, name),
                lambda: application_run.environment(interpreter, name),
            )
            return made
        constants = servers.constants(name)
        packages = [*constants["REQUIRES"], *constants.get("ALONE", [])]
        made = self._once(
            (cell.python, constants.get("IMPORTS"), *packages),
            lambda: environments.get(interpreter, name, self._tell),
        )
        requires = self._scenarios[cell.scenario].requires
        if not requires:
            return made
        folder, versions = self._once(
            (cell.python, "libraries", *requires),
            lambda: environments.libraries(interpreter, requires, self._tell),
        )
        return dataclasses.replace(
            made,
            versions={**versions, **made.versions},
            libraries=(folder,),
        )

    def _once(self, key: tuple[Any, ...], make: Callable[[], Any]) -> Any:
        """What one thread makes others wait for; what failed is not tried
        again for every cell that needs it."""
        own: Future[Any] = Future()
        first = self._made.setdefault(key, own)
        if first is own:
            try:
                own.set_result(make())
            except BaseException as error:
                own.set_exception(error)
        return first.result()

    def prepared(self) -> dict[Cell, Environment]:
        """For who loads them in a way of his own."""
        return self._prepare(self.possible())

    def scenario_of(self, cell: Cell) -> Scenario:
        return self._scenarios[cell.scenario]

    def entry(self, cell: Cell) -> dict[str, Any]:
        interpreter = self._interpreters[cell.python]
        return _entry(cell, interpreter, self._environment(cell))

    def _prepare(self, cells: list[Cell]) -> dict[Cell, Environment]:
        """Environments of all cells; a cell without one fails here. As many
        are made at once as there are CPUs."""
        ready: dict[Cell, Environment] = {}
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            made = {
                cell: pool.submit(self._environment, cell) for cell in cells
            }
            try:
                wait(made.values())
            except BaseException:  # Ctrl-C: those that were not begun
                pool.shutdown(cancel_futures=True)
                raise
        for cell in cells:
            try:
                ready[cell] = made[cell].result()
            except WsgibenchError as error:
                self.fail(cell, error)
        return ready

    def _entries(
        self, ready: dict[Cell, Environment]
    ) -> dict[Cell, dict[str, Any]]:
        """Where each cell's starts go; those of an interrupted run are
        there already."""
        earlier = resuming.Earlier(self._earlier)
        entries = {}
        for cell, environment in ready.items():
            entry = _entry(cell, self._interpreters[cell.python], environment)
            try:
                entry["starts"] = earlier.starts(entry)
            except WsgibenchError as error:
                self.fail(cell, error)
                continue
            entries[cell] = entry
        left = earlier.left()
        self.record["cells"] = [*entries.values(), *left]
        for cell_left in left:
            self._tell("kept as it is: " + cell_left["name"])
        return entries

    def _rate(self, cell: Cell, entries: dict[Cell, dict[str, Any]]) -> float:
        """Requests/s to ask for. A part of the capacity is taken once, from
        the starts there are then, so that all starts are asked the same."""
        asked = entries[cell]["load"]
        if cell.load.fraction and not asked["rate"]:
            starts = entries.get(cell.closed, {}).get("starts", [])
            found = [_goodput(start, cell.load.warmup) for start in starts]
            found = [goodput for goodput in found if goodput]
            if not found:
                raise WsgibenchError(
                    "its capacity is not known: no start of %s gave a result."
                    % cell.closed.name
                )
            asked["rate"] = cell.load.fraction * statistics.median(found)
        rate: float = asked["rate"]
        return rate

    def execute(self) -> dict[str, Any]:
        ready = self._prepare(self.possible())
        entries = self._entries(ready)
        done = {
            (start["start"], cell)
            for cell, entry in entries.items()
            for start in entry["starts"]
        }
        self.keep()
        if self._application_run is not None and len(done) < (
            len(entries) * self._starts
        ):
            baselines = self._application_run.begin(
                entries, self._interpreters
            )
            self.record["baselines"] += baselines
            self.keep()
        starts = self.schedule.allocate(list(entries))
        order = plan.order(list(entries), starts, self._seed)
        todo = [one for one in order if one not in done]
        self._measure_all(todo, ready, entries)
        for block in range(starts, starts + self._further):
            cells = self._together(entries)
            if not cells:
                break
            self._tell("once more: %d of %d rows" % (len(cells), len(entries)))
            order = plan.block(cells, block, self._seed)
            todo = [one for one in order if one not in done]
            self._measure_all(todo, ready, entries)
        self.record["complete"] = True
        self.keep()
        return self.record

    def _together(self, entries: dict[Cell, dict[str, Any]]) -> list[Cell]:
        """Those that want more, and all that are held against one of them: a
        machine that drifts would favour who is not in the block."""
        wanted = {
            (cell.scenario, cell.load)
            for cell, entry in entries.items()
            if self._wants_more(entry)
        }
        return [c for c in entries if (c.scenario, c.load) in wanted]

    def _measure_all(
        self,
        todo: list[tuple[int, Cell]],
        ready: dict[Cell, Environment],
        entries: dict[Cell, dict[str, Any]],
    ) -> None:
        schedule = self.schedule
        schedule.begin(todo)
        block = todo[0][0] if todo else 0
        begun = -1
        with Services(self._tell) as services:
            for start, cell in todo:
                if start > block and self._enough(self.record):
                    self._tell("precise enough after %d starts" % start)
                    break
                if start > block and schedule.is_over(start):
                    self._tell("the time is over after %d starts" % start)
                    break
                block = start
                if start > begun:
                    begun = start
                    self._time_alone(start, list(entries))
                self._tell(schedule.progress.begin())
                try:
                    with schedule.timed() as warmup:
                        rate = self._rate(cell, entries)
                        asked = settling(_paced(cell, rate), warmup)
                        once = functools.partial(
                            self._one, asked, ready[cell], start, services
                        )
                        observed = self._again.measure(entries[cell], once)
                except WsgibenchError as error:
                    self.fail(cell, error)
                else:
                    entries[cell]["starts"].append(observed)
                    self._review(self.record)
                    self.keep()
                schedule.progress.end()

    def _time_alone(self, start: int, cells: list[Cell]) -> None:
        """The baselines of the block that begins with this start."""
        if (
            self._application_run is None
            or self.record.get("kind") == "counted"
        ):
            return
        with self.schedule.timed(len(self.schedule.alone(cells))) as warmup:
            self._application_run.block(
                start,
                [settling(cell, warmup) for cell in cells],
                self._seed + start,
                self._again,
            )

    def _one(
        self,
        cell: Cell,
        environment: Environment,
        start: int,
        services: Services,
    ) -> dict[str, Any]:
        asked = self._scenarios[cell.scenario]
        settings = services.need(asked.services)
        more = {}
        if self._application_run is not None:
            more["visit"] = self._application_run.visit(cell, environment)
        try:
            return self._measure(
                self._servers[cell.server],
                asked,
                cell.load,
                environment,
                start=start,
                seed=self._seed + start,
                cpus=machine.split_cpus(),
                port=self._port,
                services=settings,
                broken=lambda: services.broken(asked.services),
                **more,
            )
        except WsgibenchError as error:
            reason = services.broken(asked.services)
            if reason:
                raise WsgibenchError("%s: %s" % (reason, error)) from error
            raise


def _goodput(start: dict[str, Any], warmup: float) -> float:
    """Requests/s after the warm-up: a JIT's capacity comes late."""
    warmup = start.get("warmup", {}).get("seconds", warmup)
    windows = [
        window
        for window in start["load"]["windows"]
        if window["start_ns"] >= 1e9 * warmup - 1
    ]
    if not windows:
        return 0.0
    span = windows[-1]["end_ns"] - windows[0]["start_ns"]
    return float(1e9 * sum(window["ok"] for window in windows) / span)


def _paced(cell: Cell, rate: float) -> Cell:
    load = dataclasses.replace(cell.load, rate=rate)
    return dataclasses.replace(cell, load=load)


def _names(cell: Cell) -> dict[str, Any]:
    return {
        "server": cell.server,
        "python": cell.python,
        "scenario": cell.scenario,
        "load": cell.load.name,
        "connections": cell.load.connections,
    }
