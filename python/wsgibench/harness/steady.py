"""A load that goes on until the server has settled, and then for as long as
is measured.

The generator tells how many requests were answered (load/steer.py), /proc what
the server used: a window of cost is made of two such looks. Whether they are
in a steady state is for `settled` to say (stats/warmup.py). If the cost
changed while it was measured, by `shift` (stats/shift.py), what was before the
change is warm-up too, and the measured time begins there.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Optional

from wsgibench.harness import usage
from wsgibench.harness.plan import Load

#: Costs of the windows so far, us per request -> have they settled?
Settled = Callable[[Sequence[float]], bool]
#: Costs of the windows measured -> the first one behind a change, if any.
ShiftOf = Callable[[Sequence[float]], Optional[int]]
#: By how many measured times such changes put the beginning off, at most.
PUT_OFF = 2.0
#: Seconds that are looked at, at least: fewer windows show no course.
LEAST = 1.0
#: What a JIT needs, whichever comes first. PyPy traces what ran 1,039 times,
#: and then what leaves its traces 200 times: tornado stays at one cost from
#: 4,000 requests to 10,000, as if it had settled, and at two thirds of that
#: from 16,000 on.
JIT_REQUESTS = 25_000
JIT_CPU_NS = 20_000_000_000


def worked(is_jit: bool, requests: int, cpu_ns: int) -> bool:
    """Whether a JIT has had what its first level takes."""
    return not is_jit or requests >= JIT_REQUESTS or cpu_ns >= JIT_CPU_NS


@dataclass(frozen=True)
class Outcome:
    seconds: float  # of warm-up, from the load's start
    steady: bool  # or else the limit ended it


def never(costs: Sequence[float]) -> int | None:
    """A `shift` that finds none."""
    return None


class Decision:
    """When a load is measured and when it ends, from what each look at it
    tells. It needs no server: a load that was recorded is decided anew."""

    def __init__(
        self,
        load: Load,
        settled: Settled,
        *,
        is_jit: bool,
        shift: ShiftOf = never,
    ) -> None:
        self._is_jit = is_jit
        self._load = load
        self._settled = settled
        self._shift = shift
        self.costs: list[float] = []
        self._ends: list[float] = []  # of their windows, seconds
        self._before = (0, 0)  # requests, CPU, at the last look
        self._latest = load.settle  # that the measured time may begin
        self.outcome: Outcome | None = None

    def look(self, seconds: float, requests: int, cpu_ns: int) -> bool:
        """Whether the load is over: so long after its start, with so many
        requests answered and so much CPU used since."""
        answered = requests - self._before[0]
        if answered > 0:
            self._ends.append(seconds)
            self.costs.append((cpu_ns - self._before[1]) / answered / 1e3)
        self._before = requests, cpu_ns
        enough = worked(self._is_jit, requests, cpu_ns)
        if self.outcome is None and seconds >= self._load.warmup + LEAST:
            if enough and self._settled(self.costs):
                self.outcome = Outcome(seconds, True)
                put_off = PUT_OFF * self._load.duration
                self._latest = min(self._latest, seconds + put_off)
            elif seconds >= self._load.settle:
                self.outcome = Outcome(seconds, False)
        if self.outcome is None:
            return False
        if seconds < self.outcome.seconds + self._load.duration:
            return False
        return not self._begins_later(self.outcome)

    def _begins_later(self, outcome: Outcome) -> bool:
        """Whether what was measured changed, and there is time to begin
        behind the change."""
        before = sum(end <= outcome.seconds for end in self._ends)
        at = self._shift(self.costs[before:]) if outcome.steady else None
        if at is None or self._ends[before + at - 1] > self._latest:
            return False
        self.outcome = Outcome(self._ends[before + at - 1], True)
        return True

    def to_json(self) -> dict[str, Any]:
        """A load that ended before it was to be measured has not settled."""
        found = self.outcome or Outcome(0.0, False)
        return {
            "seconds": found.seconds,
            "steady": found.steady,
            "limit": self._load.settle,
        }


class Steering(threading.Thread):
    """Lets a load that runs go on until `decision` ends it."""

    def __init__(self, server: int, decision: Decision) -> None:
        super().__init__(daemon=True)
        self._server = server
        self._ours, self.theirs = socket.socketpair()
        self.decision = decision

    def run(self) -> None:
        first = self._used()
        with self._ours.makefile("rb") as lines:
            for line in lines:
                elapsed, ok = map(int, line.split())
                used = self._used() - first
                if self.decision.look(elapsed / 1e9, ok, used):
                    self._ours.send(b"x")
                    return

    def _used(self) -> int:
        """CPU time of the server's processes, ns."""
        return usage.tree_cpu_ns(self._server)

    def close(self) -> None:
        self.theirs.close()
        self._ours.shutdown(socket.SHUT_RDWR)
        self.join()
        self._ours.close()
