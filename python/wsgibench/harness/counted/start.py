"""Starts of cells, counted.

A server answers a number of requests, then three times as many, in turns; the
slope between the medians of both is what a request costs, without connecting,
closing and whatever is done once. The median leaves out the turn into which a
collection of the oldest generation fell, or a JIT's compilation.

Several subjects (two versions of one server) take their turns together and
are asked the very same requests, so that what depends on the clock or on the
requests is the same for all; of those after the first the differences from it
are taken turn by turn, and there are no more turns once these agree. Each turn
has a seed of its own, the same in every run: headers that differ in each
request are then new to the server, and known.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from wsgibench.harness import usage
from wsgibench.harness.counted import callgrind, calls, perf
from wsgibench.harness.counted.targets import (
    Loaded,
    Subject,
    running,
    together,
)
from wsgibench.harness.process import Under

TURNS = 5
#: Of several subjects: turns after which it is enough if they all agree, to
#: this part of what a request costs; turns at most, if so many do not agree
#: that their median is not known to half of it.
ENOUGH, MOST_TURNS, PRECISE = 3, 11, 0.001
MORE = 3  # times the smaller number
#: Instructions that the smaller number is to take: what is done once in a
#: while is then below a thousandth.
WORTH, WORTH_JIT = 8_000_000, 40_000_000
LEAST, MOST = 64, 1024  # requests, a power of two: the same each time
#: Seconds that the smaller number may take, for who sleeps: then it is less.
LONGEST, FEWEST = 5.0, 4


def _slope(small: Sequence[float], large: Sequence[float], n: int) -> float:
    """Of a request, from the counts of n requests and of MORE times n."""
    rise = statistics.median(large) - statistics.median(small)
    return rise / ((MORE - 1) * n)


def _cost(*slopes: float) -> float:
    """Their sum; noise around 0 is 0."""
    return max(0.0, sum(slopes))


def _worth(cost: float, instructions: int = WORTH) -> int:
    """Requests that take so many, from what one takes."""
    wanted = int(instructions / max(1.0, cost))
    return max(LEAST, min(MOST, 1 << max(0, wanted.bit_length() - 1)))


def _in_time(requests: int, seconds: float) -> int:
    """Fewer where a request takes very long."""
    while requests > FEWEST and requests * seconds > LONGEST:
        requests //= 2
    return requests


class Callgrind:
    """A target that is warm and counted from now on."""

    def __init__(self, loaded: Loaded) -> None:
        self.loaded = loaded
        self._control = callgrind.Control(loaded.target.pid, loaded.folder)
        self._control.begin()
        first = _in_time(LEAST, loaded.seconds)
        self.cost = self.count(first, 1).instructions / first

    def count(self, requests: int, seed: int) -> callgrind.Counts:
        self.loaded.ask(requests, seed)
        return self._control.take()


#: Of one subject: the counts of the smaller and of the larger number.
Taken = tuple[list[callgrind.Counts], list[callgrind.Counts]]


#: How far turns lie apart: a standard error of them, as a part.
Spread = Callable[[Sequence[float]], float]


def instructions(
    subjects: Sequence[Subject], spread: Spread | None = None
) -> list[dict[str, Any]]:
    """By callgrind: instructions and allocations of a request, of each.
    Without `spread` all turns are taken."""
    with running(subjects, callgrind.under) as loaded:
        targets = together(Callgrind, loaded)
        first = targets[0]
        worth = WORTH_JIT if first.loaded.is_jit else WORTH
        n = _in_time(_worth(first.cost, worth), first.loaded.seconds)
        taken: list[Taken] = [([], []) for _ in targets]
        most = TURNS if spread is None else MOST_TURNS
        for turn in range(most):
            for half, count in enumerate((n, MORE * n)):
                seed = 2 + 2 * turn + half
                ask = partial(Callgrind.count, requests=count, seed=seed)
                counted = together(ask, targets)
                for own, one in zip(taken, counted):
                    own[half].append(one)
            if spread is not None and turn + 1 >= ENOUGH:
                pairs = [_paired(taken[0], one, n) for one in taken[1:]]
                if all(_is_known(one, spread) for one in pairs):
                    break
    return [_counted(taken[0], one, n) for one in taken]


def _is_known(turns: list[float], spread: Spread) -> bool:
    """Two of three that agree by chance would be the median."""
    if len(turns) < TURNS:
        return max(turns) - min(turns) < PRECISE * min(turns)
    return spread(turns) < PRECISE / 2


#: The same of one number: instructions, allocations.
Values = tuple[list[float], list[float]]


def _values(taken: Taken, name: str) -> Values:
    small, large = (
        [float(getattr(one, name)) for one in half] for half in taken
    )
    return small, large


def _apart(first: Taken, own: Taken, name: str) -> Values:
    """What it lies above the first, turn by turn."""
    small, large = (
        [mine - its for mine, its in zip(*pair)]
        for pair in zip(_values(own, name), _values(first, name))
    )
    return small, large


def _paired(first: Taken, own: Taken, n: int) -> list[float]:
    """Instructions of a request, of each turn: the first's, by all its
    turns, and what this one lies above it in that turn."""
    cost = _slope(*_values(first, "instructions"), n=n)
    small, large = _apart(first, own, "instructions")
    return [_cost(cost, _slope([a], [b], n)) for a, b in zip(small, large)]


def _counted(first: Taken, own: Taken, n: int) -> dict[str, Any]:
    def number(name: str) -> float:
        """The first's slope, and the slope of what differs from it."""
        slope = _slope(*_values(first, name), n=n)
        if own is first:
            return _cost(slope)
        return _cost(slope, _slope(*_apart(first, own, name), n=n))

    return {
        "counter": "callgrind",
        "requests": n,
        "instructions": number("instructions"),
        # Of each turn, connecting included: how far they lie apart.
        "turns": [one.instructions / (MORE * n) for one in own[1]],
        "paired": _paired(first, own, n),
        "allocations": number("allocations"),
    }


def by_counters(subjects: Sequence[Subject]) -> list[dict[str, Any]]:
    """By perf stat: instructions only, at full speed."""
    return [_by_counters(one) for one in subjects]


def _by_counters(subject: Subject) -> dict[str, Any]:
    def count(loaded: Loaded, requests: int, seed: int) -> float:
        with perf.Counting(usage.tree(loaded.target.pid)) as counting:
            loaded.ask(requests, seed)
        return counting.instructions

    with running([subject], _plain) as (loaded,):
        n = _in_time(4 * MOST, loaded.seconds)
        small, large = [], []
        for turn in range(TURNS):
            small.append(count(loaded, n, 2 + 2 * turn))
            large.append(count(loaded, MORE * n, 3 + 2 * turn))
    return {
        "counter": "perf",
        "requests": n,
        "instructions": _cost(_slope(small, large, n)),
        "turns": [one / (MORE * n) for one in large],
    }


def _plain(_: object) -> Under:
    """By itself."""
    return Under(variables={"PYTHONHASHSEED": "0"})


def system_calls(subjects: Sequence[Subject]) -> list[dict[str, Any]]:
    """Calls by name, and context switches, of a request, of each."""
    with running(subjects, _plain) as loaded:
        return together(_system_calls, loaded)


def _system_calls(loaded: Loaded) -> dict[str, Any]:
    """The switches are counted before strace attaches, for it adds some."""
    pid = loaded.target.pid
    n = _in_time(MOST, loaded.seconds)
    totals = [calls.switches(pid)]
    for seed, count in enumerate((n, MORE * n), 1):
        loaded.ask(count, seed)
        totals.append(calls.switches(pid))
    small, large = totals[1] - totals[0], totals[2] - totals[1]
    found: dict[str, Any] = {"switches": _cost(_slope([small], [large], n))}
    if not calls.available():
        return found
    halves = []
    for seed, count in enumerate((n, MORE * n), 3):
        with calls.Counting(usage.tree(pid)) as counting:
            loaded.ask(count, seed)
        halves.append(counting.calls)
    found["calls"] = {
        name: each
        for name in sorted(halves[1])
        for each in [_slope([halves[0].get(name, 0)], [halves[1][name]], n)]
        if each >= 0.0005
    }
    return found
