"""From a command line to cells: what is to be raced."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from wsgibench.errors import UsageError
from wsgibench.harness import interpreters, scenario, servers
from wsgibench.harness import suite as suites
from wsgibench.harness.interpreters import Interpreter
from wsgibench.harness.plan import Cell, Load, ramp

Value = TypeVar("Value")

MAX_CONNECTIONS = 1 << 20


@dataclass
class Selection:
    cells: list[Cell]
    interpreters: dict[str, Interpreter]
    #: Sentences about names that mean nothing here.
    missing: list[str] = field(default_factory=list)
    suite: dict[str, Any] | None = None


def split(text: str, option: str) -> list[str]:
    """The names of an option. None, as of a variable that is not set, would
    be a run of nothing that succeeds."""
    found = [part.strip() for part in text.split(",") if part.strip()]
    if not found:
        raise UsageError("--%s is empty: it names nothing." % option)
    return found


def _known(
    names: list[str], find: Callable[[str], Value], missing: list[str]
) -> dict[str, Value]:
    """What `find` makes of each name. A name without a meaning costs only
    its own cells, unless there is no other; then it is wrong use."""
    found = {}
    errors = []
    for name in names:
        try:
            found[name] = find(name)
        except UsageError as error:
            errors.append(error)
    if errors and not found:
        raise errors[0]
    missing += map(str, errors)
    return found


def _is_count(text: str) -> bool:
    return text.isdigit() and 0 < int(text) <= MAX_CONNECTIONS


def connections(text: str) -> list[int]:
    """``1,64`` or ``1..1024``: powers of two, both ends included."""
    counts: list[int] = []
    for part in split(text, "connections"):
        low, dots, high = part.partition("..")
        ends = [low, high] if dots else [low]
        if not all(map(_is_count, ends)):
            raise UsageError("%r is not a number of connections." % part)
        count, last = int(ends[0]), int(ends[-1])
        while count < last:
            counts.append(count)
            count *= 2
        counts.append(last)
    return list(dict.fromkeys(counts))


def rates(text: str) -> list[dict[str, Any]]:
    """``0`` (closed loop), ``500,1000`` or ``50%,90%`` of each cell's own
    capacity, which is measured first."""
    found: list[dict[str, Any]] = []
    for part in split(text, "rate"):
        number = part[:-1] if part.endswith("%") else part
        try:
            value = float(number)
        except ValueError:
            value = -1.0
        if not 0 <= value < 1e9:
            raise UsageError("%r is not a rate like 500 or 50%%." % part)
        if part.endswith("%") and value:
            found.append({"rate": 0.0, "fraction": value / 100})
        else:
            found.append({"rate": value, "fraction": 0.0})
    if any(one["fraction"] for one in found):
        found.insert(0, {"rate": 0.0, "fraction": 0.0})
    return [one for n, one in enumerate(found) if one not in found[:n]]


def warmups(
    found: dict[str, Interpreter], plain: float, jit: float
) -> dict[str, float]:
    return {
        name: jit if interpreter.implementation == "PyPy" else plain
        for name, interpreter in found.items()
    }


def matrix(
    server_names: str,
    scenario_names: str,
    pythons: str,
    counts: str,
    *,
    load: dict[str, Any],
    pace: str = "0",
    warmup: tuple[float, float],
    settle: tuple[float, float] = (0.0, 0.0),
    aa: bool = False,
    application: str = "",
) -> Selection:
    """Everything named with everything else named; with `aa`, one cell
    of each interpreter once more, for the noise floor. The name of an
    `application` of the user's stands for scenarios."""
    missing: list[str] = []
    chosen = _known(split(server_names, "server"), servers.find, missing)
    asked = (
        [application]
        if application
        else list(
            _known(split(scenario_names, "scenario"), scenario.find, missing)
        )
    )
    numbers = connections(counts)
    found = _known(split(pythons, "python"), interpreters.find, missing)
    seconds, limits = warmups(found, *warmup), warmups(found, *settle)
    cells = [
        Cell(
            server,
            python,
            name,
            Load(
                connections=count,
                warmup=seconds[python] + ramp(count),
                settle=limits[python],
                **rate,
                **load,
            ),
        )
        for name in asked
        for count in numbers
        for rate in rates(pace)
        for python in found
        for server in chosen
    ]
    if aa:
        firsts = {cell.python: cell for cell in reversed(cells)}
        cells += [replace(cell, aa=True) for cell in firsts.values()]
    return Selection(cells, found, missing)


def _narrow(
    cells: list[Cell], suite: str, what: str, names: str | None
) -> list[Cell]:
    """The cells of the named servers or scenarios; all if none is named."""
    if names is None:
        return cells
    chosen = split(names, what)
    there = list(dict.fromkeys(getattr(cell, what) for cell in cells))
    strange = [name for name in chosen if name not in there]
    if strange:
        raise UsageError(
            "suite %s has no %s %s; it has: %s."
            % (suite, what, strange[0], ", ".join(there))
        )
    return [cell for cell in cells if getattr(cell, what) in chosen]


def of_suite(
    suite: suites.Suite,
    pythons: str | None,
    *,
    server_names: str | None = None,
    scenario_names: str | None = None,
    duration: float,
    warmup: tuple[float, float],
    settle: tuple[float, float] = (0.0, 0.0),
    durations: dict[str, float] | None = None,
) -> Selection:
    """Interpreters that the user names stand for those of the suite; servers
    and scenarios that he names are those of its cells that are run."""
    missing: list[str] = []
    names = suite.pythons if pythons is None else split(pythons, "python")
    found = _known(names, interpreters.find, missing)
    first = list(found)
    if pythons is None:
        more = [name for name in suite.more_pythons if name not in found]
        for name in more:
            with contextlib.suppress(UsageError):
                found[name] = interpreters.find(name)
    cells = suites.cells(
        suite,
        first,
        duration=duration,
        warmup=warmups(found, *warmup),
        settle=warmups(found, *settle),
        durations=durations,
    )
    cells = _narrow(cells, suite.name, "server", server_names)
    cells = _narrow(cells, suite.name, "scenario", scenario_names)
    return Selection(cells, found, missing, _narrowed(suite.to_json(), cells))


def _narrowed(suite: dict[str, Any], cells: Sequence[Cell]) -> dict[str, Any]:
    """What a record keeps of a suite: the rows that were asked for."""
    asked = {
        "servers": {cell.server for cell in cells},
        "scenarios": {cell.scenario for cell in cells},
    }
    matrices = []
    for matrix in suite["matrix"]:
        kept = dict(matrix)
        for key, names in asked.items():
            kept[key] = [name for name in matrix[key] if name in names]
        matrices.append(kept)
    return {**suite, "matrix": matrices}
