"""Suites: a published benchmark as a file, benchmarks/suites/NAME.toml.

about, source        what it was and where it was published
servers_backlog ...  see Suite
[loads.NAME]         how a cell is loaded, as in the original
[profiles.NAME]      duration, durations of single loads, starts, warmup
[[matrix]]           servers x scenarios x pythons x loads: the cells
[published.PYTHON.LOAD.SCENARIO]  SERVER = the original's requests/s
[[concluded]]        what it said of them, as a ratio of two rows
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wsgibench import bounded, plugins
from wsgibench.errors import UsageError
from wsgibench.harness import source
from wsgibench.harness.plan import Cell, Load, ramp

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

#: Keys that a file may have, so that a slip is not passed over.
TOP = {"about", "source", "python", "loads"}
TOP |= {"profiles", "matrix", "published", "concluded"}
LOAD = {"connections", "keepalive", "requests", "discard", "headers"}
LOAD |= {"path", "sweep", "backlog", "http10", "tool"}
MATRIX = {"servers", "scenarios", "python", "loads", "first_python"}
CONCLUDED = {"text", "load", "scenario", "first", "second"}
RANGE = {"at_least", "at_most"}
SIDE = {"load", "scenario", "server", "python", "connections"}


@dataclass(frozen=True)
class Suite:
    name: str
    about: str
    data: dict[str, Any]

    @property
    def pythons(self) -> list[str]:
        """The interpreters it is for, unless the user names others."""
        found: list[str] = self.data.get("python", ["python3"])
        return found

    @property
    def more_pythons(self) -> list[str]:
        """Those of single matrices, used where they are there."""
        return [
            name
            for matrix in self.data["matrix"]
            for name in matrix.get("python", [])
        ]

    @property
    def published(self) -> list[dict[str, Any]]:
        return [
            {
                "python": python,
                "load": load,
                "scenario": scenario,
                "server": server,
                "value": value,
            }
            for python, loads in self.data.get("published", {}).items()
            for load, scenarios in loads.items()
            for scenario, servers in scenarios.items()
            for server, value in servers.items()
        ]

    def profile(self, name: str) -> dict[str, Any]:
        profiles: dict[str, dict[str, Any]] = self.data.get("profiles", {})
        return profiles.get(name, {})

    def to_json(self) -> dict[str, Any]:
        """What a report needs, for the record."""
        keys = ("about", "source", "matrix", "loads", "concluded")
        return {
            "name": self.name,
            **{key: self.data[key] for key in keys if key in self.data},
            "published": self.published,
        }


def folder() -> Path:
    return source.benchmarks() / "suites"


def names() -> list[str]:
    return sorted(path.stem for path in folder().glob("*.toml"))


def read(name: str) -> Suite:
    """By its name, or the path of a file."""
    path = Path(name)
    if path.suffix != ".toml":
        path = folder() / (name + ".toml")
    if not path.is_file():
        raise UsageError(
            "there is no suite %r; there are: %s; or give a .toml file."
            % (name, ", ".join(names()) or "none")
        )
    try:
        data = tomllib.loads(bounded.read(path, most=bounded.SMALL).decode())
    except ValueError as error:  # of TOML, or of UTF-8
        raise UsageError("%s: %s." % (path, error)) from error
    _check(path, data)
    return Suite(path.stem, data["about"], data)


def _check(path: Path, data: dict[str, Any]) -> None:
    def known(where: str, table: dict[str, Any], keys: set[str]) -> None:
        wrong = sorted(set(table) - keys)
        if wrong:
            raise UsageError(
                "%s: %s has no %s; it may have: %s."
                % (path, where, ", ".join(wrong), ", ".join(sorted(keys)))
            )

    known("a suite", data, TOP)
    for key in ("about", "loads", "matrix"):
        if key not in data:
            raise UsageError("%s: a suite needs %s." % (path, key))
    for name, load in data["loads"].items():
        known("load " + name, load, LOAD)
        if "tool" in load:
            plugins.check("load/drivers", load["tool"], "tool")
    for matrix in data["matrix"]:
        known("a matrix", matrix, MATRIX)
    for one in data.get("concluded", []):
        known("a conclusion", one, CONCLUDED | RANGE | {"each"})
        missing = sorted(CONCLUDED - set(one))
        if not RANGE & set(one):
            missing.append("at_least or at_most")
        if missing:
            raise UsageError(
                "%s: a conclusion needs %s." % (path, ", ".join(missing))
            )
        for side in ("first", "second"):
            known("a side of a conclusion", one[side], SIDE)


def cells(
    suite: Suite,
    pythons: Sequence[str],
    *,
    duration: float,
    warmup: dict[str, float],
    settle: dict[str, float] | None = None,
    durations: dict[str, float] | None = None,
) -> list[Cell]:
    """Every cell of every matrix; `warmup` and `settle` by interpreter, for
    loads that are not counted in requests; `durations` of single loads by
    name."""
    found: dict[Cell, None] = {}  # ordered, and each once
    for matrix in suite.data["matrix"]:
        asked = pythons[:1] if matrix.get("first_python") else pythons
        for name in matrix.get("loads", suite.data["loads"]):
            for load in _loads(suite, name):
                for scenario in matrix["scenarios"]:
                    for python in matrix.get("python", asked):
                        if python not in warmup:
                            continue  # not here; said once, by its name
                        seconds = warmup[python] + ramp(load["connections"])
                        # A tool knows no warm-up, and a published number
                        # of requests is not added to.
                        plain = load["requests"] or load.get("tool")
                        if plain:
                            seconds = 0.0
                        made = Load(
                            duration=(durations or {}).get(name, duration),
                            warmup=seconds,
                            settle=0.0
                            if plain
                            else (settle or {}).get(python, 0.0),
                            name=name,
                            **load,
                        )
                        for server in matrix["servers"]:
                            cell = Cell(server, python, scenario, made)
                            found[cell] = None
    return list(found)


def _loads(suite: Suite, name: str) -> list[dict[str, Any]]:
    """One, or one for each point of a sweep over connections."""
    loads: dict[str, Any] = suite.data["loads"]
    if name not in loads:
        raise UsageError(
            "suite %s has no load %r; it has: %s."
            % (suite.name, name, ", ".join(loads))
        )
    given = dict(loads[name])
    points = given.pop("sweep", None) or [given.pop("connections", 1)]
    given.pop("connections", None)
    whole = {
        "keepalive": True,
        "headers": "minimal",
        "requests": 0,
        "discard": 0,
        "path": "",
        **given,
    }
    return [dict(whole, connections=count) for count in points]
