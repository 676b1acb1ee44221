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
from wsgibench.stats.samples import Array
from wsgibench.stats.shift import SAME

FLAT, WARM_UP, SLOWDOWN = "flat", "warm-up", "slowdown"
NO_STEADY_STATE, INCONSISTENT = "no steady state", "inconsistent"

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
    return StartCourse(found, begin, costs, at, before)


def courses(starts: Sequence[dict[str, Any]]) -> list[StartCourse]:
    """Of those that have enough windows."""
    return [one for one in map(of_start, starts) if one is not None]


def label(courses: list[StartCourse]) -> str:
    """Of a cell; "" without windows to judge by."""
    counts = Counter(one.course.label for one in courses)
    if not counts:
        return ""
    return next(iter(counts)) if len(counts) == 1 else INCONSISTENT
