"""Servers and applications against each other, in interleaved starts."""

from __future__ import annotations

import functools
import os
import random
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Union

from wsgibench.errors import WsgibenchError
from wsgibench.harness import baseline, cell, machine, record, servers
from wsgibench.harness.again import patient
from wsgibench.harness.application import Application
from wsgibench.harness.plan import Load
from wsgibench.harness.requests import lines, reading
from wsgibench.harness.requests.request import Request
from wsgibench.harness.scenario import Scenario, of_application
from wsgibench.harness.stable import Stable
from wsgibench.harness.visit import Visit
from wsgibench.pytesting.server import App, app_name, environment, scenario
from wsgibench.stats import noise, samples, summary
from wsgibench.stats.bootstrap import Interval
from wsgibench.stats.machine import review
from wsgibench.verdicts import CPU, INVALID, NUMBERS, TITLES


@dataclass(frozen=True)
class Target:
    """What is raced: an application under a server, on an interpreter
    of its own (`python`) and with packages of its own (`requires`)."""

    app: App
    server: str = "c-uv"
    python: str | None = None
    requires: tuple[str, ...] = ()


#: Its name in 0.2.0.
Entrant = Target
#: A name of the race -> an application, (server, application), a Target.
Targets = Mapping[str, Union[App, tuple[str, App], Target]]


@dataclass(frozen=True)
class Race:
    """A record of the targets by their names in the race."""

    record: dict[str, Any]

    def cell(self, name: str) -> dict[str, Any]:
        for one in self.record["cells"]:
            if one["server"] == name:
                found: dict[str, Any] = one
                return found
        raise KeyError(name)

    def costs(self, name: str) -> list[float]:
        """Server CPU us per request of each start."""
        return [
            one.series("server_cpu_us").value
            for one in samples.measured(self.cell(name)).values()
        ]

    def ratio(
        self, above: str, below: str, metric: str = "server_cpu_us"
    ) -> Interval:
        """With a 95 % interval over the starts, paired in their blocks. What
        is no measurement (others disturbed it, requests failed) raises
        WsgibenchError with the reason."""
        for name in (above, below):
            self._check(name, metric)
        found = noise.paired(self.cell(above), self.cell(below), metric)
        if found is None:
            raise WsgibenchError(
                "nothing was measured of %s or %s." % (above, below)
            )
        return found

    def _check(self, name: str, metric: str) -> None:
        number = metric if metric in NUMBERS else CPU
        for one in summary.row(self.cell(name))["doubts"]:
            if one["level"] == INVALID and number in one["numbers"]:
                raise WsgibenchError(
                    "%s tells no %s: %s." % (name, TITLES[number], one["what"])
                )


def run(
    targets: Targets,
    *,
    starts: int = 3,
    duration: float = 1.0,
    warmup: float = 0.5,
    connections: int = 32,
    headers: str = "proxied",
    keepalive: bool = True,
    path: str = "/",
    status: int = 200,
    body: bytes | None = None,
    python: str | None = None,
    requests: str | Sequence[str] = (),
    sessions: str = "",
    visitors: int = 8,
    seed: int = 1,
    again: int = 2,
) -> Race:
    """`requests` is a file as of ``run --requests``, or targets like
    "/a" and "POST /b"; each target's answers are then held against those of
    its application without a server. `sessions` and `again` are as of
    ``run``."""
    load = Load(
        connections=connections,
        duration=duration,
        warmup=warmup,
        keepalive=keepalive,
        headers=headers,
    )
    made = record.new(sys.argv, seed, machine.describe())
    made.update(skipped=[], starts=starts)
    raced = {name: _target(targets[name], python) for name in targets}
    asked = _requests(requests, seed)
    cells = {name: _entry(name, one, load) for name, one in raced.items()}
    made["cells"] = list(cells.values())
    runners = {
        name: _Runner(
            one,
            _application(one, asked, sessions, visitors)
            if asked
            else scenario(one.app, path, status, body),
        )
        for name, one in raced.items()
    }
    rng = random.Random(seed)
    loads, each = starts * len(cells), warmup + duration
    retry = patient(again, loads, each, samples.disturbance, _silent)
    for start in range(starts):
        order = list(targets)
        rng.shuffle(order)
        for name in order:
            once = functools.partial(runners[name].run, load, start, seed)
            found = retry.measure(cells[name], once)
            cells[name]["starts"].append(found)
    review(made)
    made["complete"] = True
    return Race(made)


def _silent(said: str) -> None:
    """A test says nothing of starts that are measured again; they are in the
    record."""


class _Runner:
    """One target: its environment, and what it must answer."""

    def __init__(self, target: Target, asked: Scenario) -> None:
        self._server = servers.find(target.server)
        self._scenario = asked
        self._environment = environment(
            self._server.name, target.python, target.requires
        )
        self._expected: list[Stable] = []
        if asked.application is not None:
            with tempfile.TemporaryDirectory(prefix="wsgibench-") as folder:
                self._expected, _ = baseline.reference(
                    asked,
                    self._environment,
                    Path(folder),
                    machine.split_cpus()[0],
                    lambda: None,
                )

    def run(self, load: Load, start: int, seed: int) -> dict[str, Any]:
        visit = None
        if self._scenario.application is not None:
            visit = Visit(self._scenario, self._environment, self._expected)
        return cell.run(
            self._server,
            self._scenario,
            load,
            self._environment,
            start=start,
            seed=seed + start,
            cpus=machine.split_cpus(),
            visit=visit,
        )


def _requests(asked: str | Sequence[str], seed: int) -> list[Request]:
    if not asked:
        return []
    if isinstance(asked, str):
        return list(reading.read(asked, 0, seed).requests)
    return lines.plain("\n".join(asked), Path("requests"))


def _application(
    target: Target, asked: list[Request], sessions: str, visitors: int
) -> Scenario:
    application = Application(
        app_name(target.app),
        os.getcwd(),
        sessions=sessions,
        visitors=visitors,
    )
    return of_application(application, asked)


def _target(
    given: App | tuple[str, App] | Target, python: str | None
) -> Target:
    if isinstance(given, Target):
        return given
    if isinstance(given, tuple):
        return Target(given[1], given[0], python)
    return Target(given, python=python)


def _entry(name: str, target: Target, load: Load) -> dict[str, Any]:
    from wsgibench.harness import interpreters

    where = interpreters.find(target.python or sys.executable)
    return {
        "name": "%s, %d connections" % (name, load.connections),
        "server": name,
        "python": where.to_json(),
        "scenario": "test",
        "load": load.to_json(),
        "versions": {},
        "starts": [],
    }
