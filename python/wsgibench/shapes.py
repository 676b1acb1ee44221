"""What a record is made of, as types; what harness/checking.py lets through
has these shapes.

Fields that are not named here are left as they are. Numbers are finite, sizes
and counts not negative.
"""

from __future__ import annotations

from typing import Any, Literal, Optional, TypedDict

#: A number or null; Python 3.9 cannot read `float | None` while it runs.
Perhaps = Optional[float]
PerhapsCount = Optional[int]
PerhapsText = Optional[str]


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
    system_ns: float


class MachineUsage(TypedDict):
    time_ns: int
    busy_ns: float
    steal_ns: float
    other_ns: float
    pressure_us: float
    throttled_us: float


class Look(TypedDict):
    now_us: float
    usual_us: float


class Yardstick(Look, total=False):
    cpu: int  # absent from records of 0.2.0


class SomeCensored(TypedDict, total=False):
    count: int
    hdr: str


class OfRouteInWindow(TypedDict):
    classes: dict[str, int]
    response: str


class SomeWindow(TypedDict, total=False):
    failed: int
    response: PerhapsText  # of an open loop
    routes: dict[str, OfRouteInWindow]


class Window(SomeWindow):
    start_ns: int
    end_ns: int
    ok: int
    service: str  # a histogram, V2 in base64


class Drain(SomeWindow, total=False):
    """Nothing of a tool of others."""

    service: str


class Classes(TypedDict):
    ok: int
    bad_body: int
    in_flight: int


class Histogram(TypedDict):
    hdr: str


class SomeOfRoute(TypedDict, total=False):
    censored: SomeCensored


class OfRoute(SomeOfRoute):
    classes: dict[str, int]
    response: Histogram


class Connections(TypedDict, total=False):
    resent: PerhapsCount  # null: a tool of others does not tell


class Load(TypedDict):
    start_ns: int
    scheduled: int
    classes: Classes
    client_cpu_share: float
    duration_ns: int
    windows: list[Window]
    doubts: list[Doubt]


class WholeLoad(Load, total=False):
    censored: SomeCensored
    connections: Connections
    drain: Drain
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
    yardstick: list[Yardstick]  # of the server's CPUs, before and after
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


class WholeAudit(Audit, total=False):
    elsewhere: bool
    date: str


class Cell(TypedDict):
    name: str
    server: str
    python: WholePython
    scenario: str
    load: WholeAsked
    versions: dict[str, str]


class WholeCell(Cell, total=False):
    audit: WholeAudit
    aa: bool


class TimedCell(WholeCell):
    starts: list[WholeStart]


class WholeTimedCell(TimedCell, total=False):
    disturbed: list[Any]  # starts that were measured again


class CountedCell(WholeCell):
    starts: list[CountedStart]


class Disturbed(TypedDict, total=False):
    disturbed: str  # why a number cannot be believed; "" if nothing is wrong


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
    yardstick: list[Yardstick]


class Baseline(TypedDict):
    python: Python
    remarks: list[str]
    starts: list[WholeAlone]


class Checked(TypedDict):
    """Parts of the requests, by what of their answers was compared."""

    body: float
    length: float
    status: float


class WholeBaseline(Baseline, total=False):
    checked_under_load: Checked  # `stable` is there, too
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
    source: str
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
    cwd: str
    resumed: int
    limits_ns: dict[str, float]
    skipped: list[WholeFailure]
    application: Application
    baselines: list[WholeBaseline]
    prices: Prices
    suite: Suite


class Record(WholeHead):
    cells: list[WholeTimedCell]


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
