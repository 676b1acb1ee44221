"""What a record is made of, as types, and the check of records that are read:
what comes through `checked` has these shapes.

Fields that are not named here are left as they are. Numbers are finite, sizes
and counts not negative.
"""

from __future__ import annotations

import sys
from typing import Any, Literal, Optional, TypedDict, Union, get_type_hints

if sys.version_info >= (3, 10):
    from types import NoneType
else:
    NoneType = type(None)


class Doubt(TypedDict):
    code: str
    level: Literal["NOTE", "SUSPECT", "INVALID"]
    numbers: list[str]
    what: str
    remedy: str


class Usage(TypedDict):
    time_ns: int
    cpu_ns: float
    rss: int


class WholeUsage(Usage, total=False):
    """With what the machine's part is known from."""

    wait_ns: float
    involuntary: int


class MachineUsage(TypedDict):
    time_ns: int
    busy_ns: float
    steal_ns: float
    other_ns: float
    pressure_us: float
    throttled_us: float


class Window(TypedDict):
    start_ns: int
    end_ns: int
    ok: int
    service: str  # a histogram, V2 in base64


class SomeCensored(TypedDict, total=False):
    count: int
    hdr: str


class Classes(TypedDict):
    ok: int
    bad_body: int
    in_flight: int


class Histogram(TypedDict):
    hdr: str


class OfRoute(TypedDict):
    classes: dict[str, int]
    response: Histogram


class Load(TypedDict):
    start_ns: int
    scheduled: int
    classes: Classes
    client_cpu_share: float
    windows: list[Window]
    doubts: list[Doubt]


class WholeLoad(Load, total=False):
    censored: SomeCensored
    duration_ns: int
    routes: dict[str, OfRoute]


class Difference(TypedDict):
    request: str
    what: str


class Answers(TypedDict):
    checked: int
    of: int
    differences: list[Difference]


class Settled(TypedDict):
    seconds: float
    steady: bool


class Target(TypedDict, total=False):
    gil: bool
    jit: bool
    settings: dict[str, Any]
    observed: dict[str, Any]


class Start(TypedDict):
    start: int
    load: WholeLoad
    usage: list[WholeUsage]
    target: Target


class WholeStart(Start, total=False):
    warmup: Settled
    client_usage: list[WholeUsage]
    machine_usage: list[MachineUsage]
    listener_drops: int
    energy_uj: float
    answers: Answers


class Counted(TypedDict):
    counter: str
    requests: int
    instructions: float
    turns: list[float]
    switches: float


class WholeCounted(Counted, total=False):
    paired: list[float]
    allocations: float
    calls: dict[str, float]


class OfTarget(TypedDict, total=False):
    """What names of interpreters are known from, in any start."""

    target: Target


class CountedStart(OfTarget):
    start: int
    counted: WholeCounted


class Python(TypedDict):
    name: str
    implementation: str
    version: str


class WholePython(Python, total=False):
    build: str
    switches: str


class Asked(TypedDict):
    connections: int
    warmup: float
    keepalive: bool
    headers: str


class WholeAsked(Asked, total=False):
    duration: float
    rate: float
    fraction: float
    requests: int
    discard: int
    settle: float
    name: str
    path: str


class Audit(TypedDict):
    right: int
    of: int
    worst: str


class Cell(TypedDict):
    name: str
    server: str
    python: WholePython
    scenario: str
    load: WholeAsked
    versions: dict[str, str]


class WholeCell(Cell, total=False):
    audit: Audit
    aa: bool


class TimedCell(WholeCell):
    starts: list[WholeStart]


class CountedCell(WholeCell):
    starts: list[CountedStart]


class Disturbed(TypedDict, total=False):
    disturbed: str  # why a number cannot be believed; "" if nothing is wrong


#: A number or null; Python 3.9 cannot read `float | None` while it runs.
Perhaps = Optional[float]


class Trial(Disturbed):
    rate: float
    holds: bool
    p50_ns: Perhaps
    p99_ns: Perhaps
    client_cpu_share: float


class SearchedStart(Disturbed, OfTarget):
    start: int
    closed_loop: float
    capacity: float
    is_bound: bool
    trials: list[Trial]


class SearchedCell(Cell):
    starts: list[SearchedStart]


class Tried(Disturbed):
    workers: int
    threads: int
    holds: bool
    p99_ns: Perhaps
    cpu_share: float
    wait_share: float
    rss: int


class Configuration(TypedDict):
    workers: int
    threads: int
    server: str
    command: str


PerhapsConfiguration = Optional[Configuration]


class Size(Disturbed):
    cpu_us: float
    wait_us: float
    least_workers: int
    under_way: float
    tried: list[Tried]
    found: PerhapsConfiguration


class SizedCell(Cell):
    size: Size


class WholeSizedCell(SizedCell, total=False):
    starts: list[OfTarget]


class Failure(TypedDict):
    cell: str
    reason: str


class WholeFailure(Failure, total=False):
    server: str
    python: str
    scenario: str
    load: str
    connections: int


class Machine(TypedDict, total=False):
    cpu: str
    cpus: list[int]
    kernel: str
    system: str


class Alone(TypedDict):
    """The application without a server, in one block."""

    start: int
    calls: int
    cpu_ns: float
    wall_ns: float
    user_ns: float
    system_ns: float
    routes: dict[str, list[float]]  # calls, cpu_ns, wall_ns


class WholeAlone(Alone, total=False):
    queue_ns: float


class Baseline(TypedDict):
    python: Python
    remarks: list[str]
    starts: list[WholeAlone]


class WholeBaseline(Baseline, total=False):
    checked_under_load: dict[str, float]
    stable: float


class Application(TypedDict):
    target: str
    routes: dict[str, float]


class Prices(TypedDict, total=False):
    cpu: float
    memory: float
    rate: float
    source: str


class SuiteLoad(TypedDict, total=False):
    sweep: list[int]
    connections: int


class Matrix(TypedDict):
    servers: list[str]
    scenarios: list[str]


class WholeMatrix(Matrix, total=False):
    loads: list[str]


class Published(TypedDict):
    python: str
    load: str
    scenario: str
    server: str
    value: float


class Side(TypedDict, total=False):
    load: str
    scenario: str
    server: str
    python: str
    connections: int


class Conclusion(TypedDict):
    text: str
    load: str
    scenario: str
    first: Side
    second: Side


class WholeConclusion(Conclusion, total=False):
    each: list[str]
    at_least: float
    at_most: float


class SuiteHead(TypedDict):
    name: str
    about: str
    matrix: list[WholeMatrix]
    loads: dict[str, SuiteLoad]
    published: list[Published]


class Suite(SuiteHead, total=False):
    concluded: list[WholeConclusion]


class Head(TypedDict):
    schema: str
    wsgibench: str
    created: str
    argv: list[str]
    seed: int
    machine: Machine
    failures: list[WholeFailure]
    complete: bool


class WholeHead(Head, total=False):
    kind: Literal["counted", "capacity", "size"]
    commit: str
    limits_ns: dict[str, float]
    skipped: list[WholeFailure]
    application: Application
    baselines: list[WholeBaseline]
    prices: Prices
    suite: Suite


class Record(WholeHead):
    cells: list[TimedCell]


class CountedRecord(WholeHead):
    cells: list[CountedCell]


class CapacityRecord(WholeHead):
    slo: str
    cells: list[SearchedCell]


class SizeRecord(WholeHead):
    slo: str
    rate: float
    cells: list[WholeSizedCell]


#: By their ``kind``; without one it is a Record.
KINDS = {
    "counted": CountedRecord,
    "capacity": CapacityRecord,
    "size": SizeRecord,
}


class Wrong(ValueError):
    """Where, and what must be there."""


#: Beyond it a number is no measurement, and floats lose whole ones.
LARGEST = 2**63


def _number(value: Any, is_whole: bool, where: str) -> None:
    kinds = (int,) if is_whole else (int, float)
    if isinstance(value, bool) or not isinstance(value, kinds):
        what = "a whole number" if is_whole else "a number"
        raise Wrong("%s must be %s" % (where, what))
    if not 0 <= value < LARGEST:  # nor NaN
        raise Wrong("%s must be neither negative nor endless" % where)


NAMES = {str: "text", bool: "true or false", NoneType: "null"}


def check(value: Any, kind: Any, where: str) -> None:
    """Raises Wrong if a value is not of the kind."""
    origin = getattr(kind, "__origin__", None)
    if kind is Any:
        return
    if kind in (int, float):
        _number(value, kind is int, where)
    elif kind in NAMES:
        if not isinstance(value, kind):
            raise Wrong("%s must be %s" % (where, NAMES[kind]))
    elif origin is Literal:
        if value not in kind.__args__:
            raise Wrong(
                "%s must be one of %s" % (where, ", ".join(kind.__args__))
            )
    elif origin is Union:
        if value is not None:
            check(value, kind.__args__[0], where)
    elif origin is list:
        if not isinstance(value, list):
            raise Wrong("%s must be a list" % where)
        for number, one in enumerate(value):
            check(one, kind.__args__[0], "%s[%d]" % (where, number))
    elif origin is dict:
        _object(value, where)
        for name, one in value.items():
            check(one, kind.__args__[1], "%s.%s" % (where, name))
    else:
        _fields(value, kind, where)


def _object(value: Any, where: str) -> None:
    if not isinstance(value, dict):
        raise Wrong("%s must be an object" % where)


_HINTS: dict[Any, dict[str, Any]] = {}


def _fields(value: Any, kind: Any, where: str) -> None:
    _object(value, where)
    if kind not in _HINTS:
        _HINTS[kind] = get_type_hints(kind)
    required = kind.__required_keys__
    for name, inner in _HINTS[kind].items():
        if name in value:
            check(value[name], inner, "%s.%s" % (where, name))
        elif name in required:
            raise Wrong("%s has no %s" % (where, name))


def _order(record: Record) -> None:
    """What the shapes do not say: times go forward, a start is there once."""
    for number, cell in enumerate(record["cells"]):
        where = "record.cells[%d]" % number
        seen = set()
        for start in cell["starts"]:
            if start["start"] in seen:
                raise Wrong("%s has a start twice" % where)
            seen.add(start["start"])
            for window in start["load"]["windows"]:
                if window["end_ns"] <= window["start_ns"]:
                    raise Wrong("%s has a window without a length" % where)
            for name in ("usage", "client_usage", "machine_usage"):
                samples: Any = start.get(name, [])
                times = [one["time_ns"] for one in samples]
                if times != sorted(times):
                    raise Wrong("%s: times of %s go back" % (where, name))


def _sizes(record: SizeRecord) -> None:
    for number, cell in enumerate(record["cells"]):
        found = cell["size"]["found"]
        if found is not None and not any(
            one["holds"]
            and one["workers"] == found["workers"]
            and one["threads"] == found["threads"]
            for one in cell["size"]["tried"]
        ):
            where = "record.cells[%d].size" % number
            raise Wrong(where + ": what was found was not tried")


def _suite(record: Record) -> None:
    """Loads are known by their names, in the suite as in its cells."""
    suite = record.get("suite")
    if suite is None:
        return
    for matrix in suite["matrix"]:
        for name in matrix.get("loads", ()):
            if name not in suite["loads"]:
                raise Wrong("record.suite has no load %.60r" % name)
    for number, cell in enumerate(record["cells"]):
        if "name" not in cell["load"]:
            raise Wrong("record.cells[%d].load has no name" % number)


def _routes(record: Record) -> None:
    for one in record.get("baselines", []):
        for start in one["starts"]:
            for numbers in start["routes"].values():
                if len(numbers) != 3:
                    raise Wrong("record.baselines: a route has 3 numbers")


def checked(value: Any) -> dict[str, Any]:
    """A record of any kind; raises Wrong."""
    kind = value.get("kind") if isinstance(value, dict) else None
    if isinstance(kind, str) and kind in KINDS:
        check(value, KINDS[kind], "record")
        if kind == "size":
            _sizes(value)
    else:
        check(value, Record, "record")
        _order(value)
        _routes(value)
        _suite(value)
    found: dict[str, Any] = value
    return found
