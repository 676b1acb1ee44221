"""A load that goes on until the server has settled, and then for as long as
is measured.

The generator tells how many requests were answered (load/steer.py), /proc what
the server used: a window of cost is made of two such looks. Whether they are
in a steady state is for `settled` to say (stats/warmup.py).
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from wsgibench.harness import usage
from wsgibench.harness.plan import Load

#: Costs of the windows so far, us per request -> have they settled?
Settled = Callable[[Sequence[float]], bool]
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


class Steering(threading.Thread):
    """Decides, while a load runs, when it is measured and when it ends."""

    def __init__(
        self, server: int, load: Load, settled: Settled, *, is_jit: bool
    ) -> None:
        super().__init__(daemon=True)
        self._is_jit = is_jit
        self._server = server
        self._load = load
        self._settled = settled
        self._ours, self.theirs = socket.socketpair()
        self.costs: list[float] = []
        self.outcome: Outcome | None = None

    def run(self) -> None:
        first = before = (0, sum(map(usage.cpu_ns, usage.tree(self._server))))
        with self._ours.makefile("rb") as lines:
            for line in lines:
                elapsed, ok = map(int, line.split())
                now = ok, sum(map(usage.cpu_ns, usage.tree(self._server)))
                if now[0] > before[0]:
                    cost = (now[1] - before[1]) / (now[0] - before[0]) / 1e3
                    self.costs.append(cost)
                before = now
                used = now[1] - first[1]
                enough = worked(self._is_jit, ok, used)
                if self._over(elapsed / 1e9, enough):
                    self._ours.send(b"x")
                    return

    def _over(self, seconds: float, enough: bool) -> bool:
        if self.outcome is None and seconds >= self._load.warmup + LEAST:
            if enough and self._settled(self.costs):
                self.outcome = Outcome(seconds, True)
            elif seconds >= self._load.settle:
                self.outcome = Outcome(seconds, False)
        return (
            self.outcome is not None
            and seconds >= self.outcome.seconds + self._load.duration
        )

    def close(self) -> None:
        self.theirs.close()
        self._ours.shutdown(socket.SHUT_RDWR)
        self.join()
        self._ours.close()

    def to_json(self) -> dict[str, Any]:
        """A load that ended before it was to be measured has not settled."""
        found = self.outcome or Outcome(0.0, False)
        return {
            "seconds": found.seconds,
            "steady": found.steady,
            "limit": self._load.settle,
        }
