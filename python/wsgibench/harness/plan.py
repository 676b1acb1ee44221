"""What is measured, and in which order."""

from __future__ import annotations

import random
from dataclasses import asdict, dataclass, replace
from typing import Any

from wsgibench.load.spec import LoadSpec

#: Connections above which they are made one after another, at so many a
#: second: a burst overflows any listener's queue, and what came of that would
#: be taken for the server's.
GENTLE_ABOVE = 512
CONNECT_RATE = 2000.0


def ramp(connections: int) -> float:
    """Seconds until all are made; the warm-up is longer by so much."""
    return 0.0 if connections <= GENTLE_ABOVE else connections / CONNECT_RATE


@dataclass(frozen=True)
class Load:
    """How a cell is loaded; times in seconds."""

    connections: int
    duration: float
    warmup: float
    keepalive: bool
    headers: str
    rate: float = 0.0  # requests/s asked for; 0: closed loop
    fraction: float = 0.0  # the rate, as a part of the cell's own capacity
    pipeline: int = 1  # requests under way on each connection
    requests: int = 0  # no more than these; 0: no limit
    discard: int = 0  # the first requests, left out of the result
    backlog: int = 2048  # of the listener
    #: Seconds of warm-up at most, until it has settled by itself; `warmup`
    #: is then the least. 0: the warm-up lasts `warmup`.
    settle: float = 0.0
    path: str = ""  # instead of the scenario's
    name: str = ""  # in a suite
    http10: bool = False  # requests say HTTP/1.0
    tool: str = ""  # that loads instead of our generator (load/drivers)
    think: float = 0.0  # of a visitor between an answer and a request

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    def spec(self, url: str, **more: Any) -> LoadSpec:
        """What the generator is asked for; `more` are fields of LoadSpec that
        follow from the scenario or from the machine."""
        in_turn = self.connections > GENTLE_ABOVE and not self.tool
        asked = {
            "connections": self.connections,
            "duration": self.longest,
            "keepalive": self.keepalive,
            "headers": self.headers,
            "rate": self.rate,
            "pipeline": self.pipeline,
            "requests": self.requests,
            "http10": self.http10,
            "think": (self.think, self.think),
            "connect_rate": CONNECT_RATE if in_turn else 0.0,
        }
        return LoadSpec(url, **{**asked, **more})

    @property
    def longest(self) -> float:
        """Seconds after which it ends in any case."""
        return max(self.warmup, self.settle) + self.duration

    @property
    def pace(self) -> str:
        if self.fraction:
            return ", %g %% of its capacity" % (100 * self.fraction)
        return ", %g requests/s" % self.rate if self.rate else ""


@dataclass(frozen=True)
class Cell:
    server: str  # as the user wrote it: a name, perhaps with options
    python: str  # as the user wrote it
    scenario: str
    load: Load
    aa: bool = False  # A/A: measured once more, for the noise floor

    @property
    def name(self) -> str:
        return "%s%s on %s, %s, %s%d connections%s%s" % (
            self.server,
            " (again)" if self.aa else "",
            self.python,
            self.scenario,
            self.load.name and self.load.name + ", ",
            self.load.connections,
            "" if self.load.keepalive else ", no keep-alive",
            self.load.pace,
        )

    @property
    def closed(self) -> Cell:
        """The same as fast as it can: what its capacity is known from."""
        return replace(self, load=replace(self.load, rate=0.0, fraction=0.0))


def block(cells: list[Cell], start: int, seed: int) -> list[tuple[int, Cell]]:
    """(start, cell): one more of each, in an order of its own."""
    rng = random.Random("%d %d" % (seed, start))
    return [(start, cell) for cell in rng.sample(cells, len(cells))]


def order(cells: list[Cell], starts: int, seed: int) -> list[tuple[int, Cell]]:
    """(start, cell): randomised complete blocks. Every start runs each cell
    once, in an order of its own, so that a machine that drifts favours
    no server."""
    rng = random.Random(seed)
    plan = []
    for start in range(starts):
        block = list(cells)
        rng.shuffle(block)
        if start == 0:
            # A part of a capacity can be asked for once that is known.
            block.sort(key=lambda cell: cell.load.fraction > 0)
        plan += [(start, cell) for cell in block]
    return plan
