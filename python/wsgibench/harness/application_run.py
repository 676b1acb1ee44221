"""A run of the user's own application: its environments, its reference
answers, its baseline without a server, and what precedes each start."""

from __future__ import annotations

import dataclasses
import functools
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from wsgibench.errors import WsgibenchError
from wsgibench.harness import (
    application_environments,
    baseline,
    environments,
    machine,
    mix,
    yardstick,
)
from wsgibench.harness.again import Again
from wsgibench.harness.environments import Environment
from wsgibench.harness.interpreters import Interpreter
from wsgibench.harness.plan import Cell, Load
from wsgibench.harness.requests.reading import Traffic
from wsgibench.harness.scenario import Scenario, of_application
from wsgibench.harness.stable import Stable
from wsgibench.harness.steady import Settled
from wsgibench.harness.visit import Visit

#: Seconds of the baseline at most; the load may take longer.
MOST_SECONDS = 3.0
#: Of its warm-up, without a JIT.
MOST_SETTLING = 2.0
#: What is said of requests that fail by themselves, and no more.
MOST_REMARKS = 10


class ApplicationRun:
    def __init__(
        self,
        application: Any,
        traffic: Traffic,
        tell: Callable[[str], None],
        settled: Settled | None = None,
    ) -> None:
        self._settled = settled
        self._application = application
        self.scenario: Scenario = of_application(application, traffic.requests)
        self._traffic = traffic
        self._tell = tell
        self._own: dict[str, Environment | WsgibenchError] = {}
        self._expected: dict[str, list[Stable]] = {}
        self._baselines: dict[str, dict[str, Any]] = {}
        self._first: Environment | None = None
        self._failed: dict[str, WsgibenchError] = {}

    def to_json(self) -> dict[str, Any]:
        """``application`` of the record."""
        routes = mix.route_names(self.scenario.requests)
        return {
            **self._application.to_json(),
            "kind": self._traffic.kind,
            "remarks": list(self._traffic.remarks),
            "requests": len(self.scenario.requests),
            "routes": _shares(self.scenario, routes),
        }

    def environment(
        self, interpreter: Interpreter, server: str
    ) -> Environment:
        own = self._own_environment(interpreter)
        return application_environments.with_server(
            self._application, own, interpreter, server, self._tell
        )

    def missing(
        self, interpreters: Iterable[Interpreter]
    ) -> list[tuple[str, str]]:
        """As environments.missing: those of the application itself."""
        asked = self._application.install
        if self._application.venv or not asked:
            return []
        return [
            (one.implementation, "application")
            for one in interpreters
            if environments.missing_application(one, asked)
        ]

    def _own_environment(self, interpreter: Interpreter) -> Environment:
        name = interpreter.name
        if name not in self._own:
            try:
                self._own[name] = application_environments.without_server(
                    self._application, interpreter, self._tell
                )
            except WsgibenchError as error:
                self._own[name] = error
        found = self._own[name]
        if isinstance(found, WsgibenchError):
            raise found
        return found

    # -- before the first start

    def begin(
        self, cells: Iterable[Cell], interpreters: dict[str, Interpreter]
    ) -> list[dict[str, Any]]:
        """``baselines`` of the record, to be filled by ``block``."""
        names = dict.fromkeys(cell.python for cell in cells)
        self._first = self._own_environment(interpreters[next(iter(names))])
        if self._application.setup:
            self._tell("setup: " + self._application.setup)
            self._run(self._application.setup)
        for name in names:
            self._baselines[name] = {
                "python": interpreters[name].to_json(),
                "remarks": [],
                "starts": [],
            }
            self._tell("asking the application itself, on " + name)
            try:
                self._reference(name, interpreters[name])
            except WsgibenchError as error:
                self._failed[name] = error
                self._baselines[name]["remarks"] = [str(error)]
        return list(self._baselines.values())

    def _run(self, command: str) -> None:
        assert self._first is not None
        self._application.command(command, self._first.python, ())

    def reset(self) -> None:
        if self._application.reset:
            self._run(self._application.reset)

    def _reference(self, name: str, interpreter: Interpreter) -> None:
        environment = self.environment(interpreter, baseline.SERVER)
        with tempfile.TemporaryDirectory(prefix="wsgibench-") as folder:
            expected, remarks = baseline.reference(
                self.scenario,
                environment,
                Path(folder),
                machine.split_cpus()[0],
                self.reset,
            )
        self._expected[name] = expected
        found = self._baselines[name]
        found["remarks"] = remarks[:MOST_REMARKS]
        for remark in remarks[:MOST_REMARKS]:
            self._tell(remark)
        found["checked_under_load"] = mix.coverage(
            self.scenario.requests, expected
        )
        found["stable"] = _stable_share(self.scenario, expected)

    # -- while it runs

    def block(
        self, start: int, cells: Iterable[Cell], seed: int, again: Again
    ) -> None:
        """The baseline of one block, on each interpreter that is raced."""
        longest: dict[str, Cell] = {}
        for cell in cells:
            longest.setdefault(cell.python, cell)
        for name, cell in longest.items():
            if name in self._failed:
                continue
            self._tell("the application alone on " + name)
            once = functools.partial(self._time, name, cell, start, seed)
            entry = self._baselines[name]
            try:
                entry["starts"].append(again.measure(entry, once))
            except WsgibenchError as error:
                self._tell(str(error))
                entry["remarks"].append(str(error))

    def load_alone(self, load: Load) -> Load:
        """What the application alone is asked beside this load."""
        return dataclasses.replace(
            load, duration=min(MOST_SECONDS, load.duration)
        )

    def _time(
        self, name: str, cell: Cell, start: int, seed: int
    ) -> dict[str, Any]:
        interpreter = self._baselines[name]["python"]
        environment = self.environment(
            Interpreter(**interpreter), baseline.SERVER
        )
        self.reset()
        cpu = machine.split_cpus()[0]
        with tempfile.TemporaryDirectory(prefix="wsgibench-") as folder:
            with baseline.Alone(
                self.scenario,
                environment,
                log=Path(folder) / "alone.log",
                cpu=cpu,
            ) as alone:
                if cell.load.settle and self._settled:
                    is_jit = interpreter["implementation"] == "PyPy"
                    most = cell.load.settle
                    alone.settle(
                        self.scenario.requests,
                        self._settled,
                        most if is_jit else min(most, MOST_SETTLING),
                        is_jit=is_jit,
                    )
                before = yardstick.of(cpu).read()
                found = alone.timing(
                    self.scenario.requests,
                    seed=seed,
                    seconds=self.load_alone(cell.load).duration,
                    warmup=cell.load.warmup,
                )
                after = yardstick.of(cpu).read()
        found["routes"] = _by_route(self.scenario, found["routes"])
        return {
            "start": start,
            **found,
            "yardstick": [one.to_json() for one in (before, after)],
        }

    def visit(self, cell: Cell, environment: Environment) -> Visit:
        """Of the start that comes now; the application is reset for it."""
        if cell.python in self._failed:
            raise self._failed[cell.python]
        self.reset()
        return Visit(self.scenario, environment, self._expected[cell.python])


def _shares(scenario: Scenario, routes: list[str]) -> dict[str, float]:
    total = sum(one.weight for one in scenario.requests)
    found: dict[str, float] = {}
    for one, route in zip(scenario.requests, routes):
        found[route] = found.get(route, 0.0) + one.weight / total
    return found


def _stable_share(scenario: Scenario, expected: list[Stable]) -> float:
    """Of the bytes of all answers, by weight, those that are compared."""
    whole = sum(
        one.weight * max(1, must.body.largest)
        for one, must in zip(scenario.requests, expected)
    )
    kept = sum(
        one.weight * max(1, must.body.largest) * must.body.share
        for one, must in zip(scenario.requests, expected)
    )
    return kept / whole


def _by_route(
    scenario: Scenario, found: dict[str, list[int]]
) -> dict[str, list[int]]:
    """Route -> [calls, cpu_ns, wall_ns]"""
    names = mix.route_names(scenario.requests)
    sums: dict[str, list[int]] = {}
    for index, values in found.items():
        total = sums.setdefault(names[int(index)], [0, 0, 0])
        for place, value in enumerate(values):
            total[place] += value
    return sums
