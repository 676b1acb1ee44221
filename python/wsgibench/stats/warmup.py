"""Does a start reach a steady state, and is it the best it had?

Labels after Barrett et al. (OOPSLA 2017), on CPU per request: what the
server does, not what its neighbours on the machine do.

    flat             one level from the first window to the last
    warm-up          the last level is the best one
    slowdown         an earlier level was better than the last
    no steady state  the last level is not a quarter of the run old
    inconsistent     (of a cell) its starts differ
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from wsgibench.stats import changepoints, samples
from wsgibench.stats.samples import Array, Windows

FLAT, WARM_UP, SLOWDOWN = "flat", "warm-up", "slowdown"
NO_STEADY_STATE, INCONSISTENT = "no steady state", "inconsistent"

#: Levels that differ by less are one level: nobody would choose a server
#: for it, and a machine that is not all ours drifts by as much.
SAME = 0.03
LAST = 0.25  # of the windows that the last level must hold
LEAST = 8  # windows without which nothing has settled


@dataclass(frozen=True)
class Course:
    """How one start went; `steady` is an index into its windows."""

    label: str
    steady: int
    changes: tuple[int, ...]
    levels: tuple[float, ...]


def _levels(values: Array, changes: list[int]) -> list[Array]:
    edges = [0, *changes, len(values)]
    return [values[a:b] for a, b in zip(edges, edges[1:])]


def course(costs: Array) -> Course:
    """`costs`: a number for each window, less is better."""
    changes = changepoints.find(costs)
    parts = _levels(costs, changes)
    medians = [float(np.median(part)) for part in parts]
    scale = changepoints.noise(costs)
    last = medians[-1]

    def same(index: int) -> bool:
        error = 2 * scale / np.sqrt(len(parts[index]))
        return bool(abs(medians[index] - last) <= max(SAME * last, error))

    first = len(parts) - 1
    while first > 0 and same(first - 1):
        first -= 1
    steady = [0, *changes][first]
    if first == 0:
        label = FLAT
    elif len(costs) - steady < LAST * len(costs):
        label = NO_STEADY_STATE
    elif any(m < last and not same(i) for i, m in enumerate(medians)):
        label = SLOWDOWN
    else:
        label = WARM_UP
    return Course(label, steady, tuple(changes), tuple(medians))


def settled(costs: Sequence[float]) -> bool:
    """While it is loaded: has the last level lasted half of the time so far?
    A JIT that still finds something from time to time has ever longer levels;
    half is what makes the next one come late."""
    if len(costs) < LEAST:
        return False
    found = course(np.asarray(costs, dtype=float))
    return 2 * (len(costs) - found.steady) >= len(costs)


@dataclass(frozen=True)
class StartCourse:
    """The course of a start with its times: seconds, us per request."""

    course: Course
    seconds: Array
    costs: Array
    steady_seconds: float  # until the steady state
    steady_requests: int
    windows: Windows

    def bias(self, asked: dict[str, Any]) -> float:
        """By what part the cost that was measured lies above the cost in
        the steady state (of a start without one: its last level); 0 for
        what the noise of its windows explains."""
        figure = self.windows.after(asked).series("server_cpu_us")
        if self.course.label == FLAT or not figure.below.sum():
            return 0.0
        steady = self.windows.since(self.steady_seconds)
        last = steady.series("server_cpu_us").value
        count = len(self.costs) - self.course.steady
        error = 2 * changepoints.noise(self.costs) / np.sqrt(count)
        off = figure.value - last
        return off / last if abs(off) > error else 0.0


def of_start(start: dict[str, Any]) -> StartCourse | None:
    every = samples.windows(start)
    some = (every.ok > 0) & (every.cpu_us > 0)
    if some.sum() < 2 * changepoints.SHORTEST:
        return None
    costs = every.cpu_us[some] / every.ok[some]
    found = course(costs)
    begin = every.begin[some]
    at = float(begin[found.steady])
    before = int(every.ok[every.begin < at].sum())
    return StartCourse(found, begin, costs, at, before, every)


def spread(
    courses: list[StartCourse], asked: dict[str, Any]
) -> tuple[float, float]:
    """The least and the largest level (us per request) that the measured
    time of any start reached into."""
    found = []
    for one in courses:
        first = one.windows.after(asked).begin
        begin = float(first[0]) if len(first) else 0.0
        edges = [0, *one.course.changes, len(one.costs)]
        for level, end in zip(one.course.levels, edges[1:]):
            if one.seconds[end - 1] >= begin:
                found.append(level)
    return min(found), max(found)


def label(courses: list[StartCourse]) -> str:
    """Of a cell; "" without windows to judge by."""
    counts = Counter(one.course.label for one in courses)
    if not counts:
        return ""
    return next(iter(counts)) if len(counts) == 1 else INCONSISTENT
