"""Servers and applications against each other, in interleaved starts."""

from __future__ import annotations

import random
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Union

from wsgibench.errors import WsgibenchError
from wsgibench.harness import cell, machine, record, servers
from wsgibench.harness.interpreters import Interpreter
from wsgibench.harness.plan import Load
from wsgibench.pytesting.server import App, environment, scenario
from wsgibench.stats import noise, samples
from wsgibench.stats.bootstrap import Interval

#: A name of the race -> an application, or (server, application).
Contestants = Mapping[str, Union[App, tuple[str, App]]]


@dataclass(frozen=True)
class Race:
    """A record of the contestants by their names in the race."""

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
        """With a 95 % interval over the starts, paired in their blocks."""
        found = noise.paired(self.cell(above), self.cell(below), metric)
        if found is None:
            raise WsgibenchError(
                "nothing was measured of %s or %s." % (above, below)
            )
        return found


def run(
    contestants: Contestants,
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
    seed: int = 1,
) -> Race:
    load = Load(
        connections=connections,
        duration=duration,
        warmup=warmup,
        keepalive=keepalive,
        headers=headers,
    )
    made = record.new(sys.argv, seed, machine.describe())
    cells: dict[str, dict[str, Any]] = {}
    for name in contestants:
        cells[name] = _entry(name, contestants[name], load, python)
    made["cells"] = list(cells.values())
    made["skipped"] = []
    made["starts"] = starts
    chance = random.Random(seed)
    for start in range(starts):
        order = list(contestants)
        chance.shuffle(order)
        for name in order:
            server, app = _pair(contestants[name])
            found = servers.find(server)
            cells[name]["starts"].append(
                cell.run(
                    found,
                    scenario(app, path, status, body),
                    load,
                    environment(found.name, python),
                    start=start,
                    seed=seed + start,
                    cpus=machine.split_cpus(),
                )
            )
    made["complete"] = True
    return Race(made)


def _pair(contestant: App | tuple[str, App]) -> tuple[str, App]:
    if isinstance(contestant, tuple):
        return contestant
    return "c-uv", contestant


def _entry(
    name: str,
    contestant: App | tuple[str, App],
    load: Load,
    python: str | None,
) -> dict[str, Any]:
    from wsgibench.harness import interpreters

    where: Interpreter = interpreters.find(python or sys.executable)
    return {
        "name": "%s, %d connections" % (name, load.connections),
        "server": name,
        "python": where.to_json(),
        "scenario": "test",
        "load": load.to_json(),
        "versions": {},
        "starts": [],
    }
