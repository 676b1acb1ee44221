"""Starts of cells, counted.

A server answers a number of requests, then three times as many, in turns; the
slope between the medians of both is what a request costs, without connecting,
closing and whatever is done once. The median leaves out the turn into which a
collection of the oldest generation fell, or a JIT's compilation.

Several subjects (two versions of one server) take their turns together and
are asked the very same requests, so that what depends on the clock or on the
requests is the same for all; of those after the first the differences from it
are taken turn by turn. Each turn has a seed of its own, the same in every run:
headers that differ in each request are then new to the server, and known.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from wsgibench.errors import WsgibenchError
from wsgibench.harness import cell, usage
from wsgibench.harness.counted import callgrind, calls, perf
from wsgibench.harness.environments import Environment
from wsgibench.harness.plan import Load
from wsgibench.harness.process import GUEST, GuestProcess, Under
from wsgibench.harness.scenario import Scenario
from wsgibench.harness.servers import Server
from wsgibench.harness.visit import Visit

TURNS = 5
MORE = 3  # times the smaller number
#: Instructions that the smaller number is to take: what is done once in a
#: while is then below a thousandth.
WORTH, WORTH_JIT = 8_000_000, 40_000_000
LEAST, MOST = 64, 1024  # requests, a power of two: the same each time
#: Requests before it is counted. A JIT gets more, as long as they take less
#: CPU time than this: the quickest servers need the most of them.
WARM, WARM_JIT = 300, 10_000
WARM_JIT_CPU_NS = 20_000_000_000
#: Seconds until the server has closed what the last load left.
SETTLE = 20.0
QUIET = 0.03


@dataclass(frozen=True)
class Subject:
    """What is counted, and of which version."""

    server: Server
    scenario: Scenario
    load: Load
    environment: Environment
    services: dict[str, Any]
    guest: Path = GUEST
    visit: Visit | None = None  # of an application's requests

    @property
    def under(self) -> Under:
        return Under(guest=self.guest)


def cpu_of(pid: int) -> int:
    """Nanoseconds that the processes of a guest have used so far."""
    return sum(map(usage.cpu_ns, usage.tree(pid)))


def _rest(pid: int) -> None:
    """Until its processes use no CPU any more."""
    deadline = time.monotonic() + SETTLE
    before = -1
    while time.monotonic() < deadline:
        used = cpu_of(pid)
        if used == before:
            return
        before = used
        time.sleep(QUIET)


class Loaded:
    """A running guest, and how to ask it so many requests."""

    def __init__(
        self, subject: Subject, guest: GuestProcess, folder: Path
    ) -> None:
        self._subject = subject
        self._folder = folder
        self.guest = guest
        self.is_jit = guest.ready.get("implementation") == "PyPy"

    def warm(self) -> None:
        self.ask(WARM, 0)
        if not self.is_jit:
            return
        asked = WARM
        while asked < WARM_JIT and cpu_of(self.guest.pid) < WARM_JIT_CPU_NS:
            self.ask(500, asked)  # a seed that no turn has
            asked += 500


    def ask(self, requests: int, seed: int) -> None:
        """All of them must be answered rightly."""
        subject, load = self._subject, self._subject.load
        url = "http://%s:%d%s" % (
            *self.guest.address[:2],
            load.path or subject.scenario.path,
        )
        # So many and no more; the clock is only what ends a hanging server.
        load = replace(load, requests=requests, warmup=0.0, duration=600.0)
        if subject.visit is not None:
            command = subject.visit.command(
                self.guest, load, self._folder, seed=seed, cpu=None
            )
        else:
            command = cell.command(url, load, subject.scenario, seed, None)
            command[command.index("--timeout") + 1] = "120"
        result = cell.generate(command, 660.0, subject.scenario)
        done = result["classes"]["ok"]
        if done != requests:
            raise WsgibenchError(
                "%d of %d requests were answered: %s; %s"
                % (
                    done,
                    requests,
                    "; ".join(result["reasons"]),
                    self.guest.last_words(),
                )
            )
        _rest(self.guest.pid)


@contextmanager
def _running(subject: Subject, under: Under, folder: Path) -> Iterator[Loaded]:
    with GuestProcess(
        subject.environment,
        subject.server,
        subject.scenario,
        log=folder / "guest.log",
        services=subject.services,
        backlog=subject.load.backlog,
        under=replace(under, guest=subject.guest),
    ) as guest:
        if subject.visit is not None:
            found = subject.visit.begin(guest, 1)["differences"]
            if found:
                raise WsgibenchError(
                    "wrong answers: %(request)s: %(what)s" % found[0]
                )
        yield Loaded(subject, guest, folder)


def _slope(small: Sequence[float], large: Sequence[float], n: int) -> float:
    """Of a request, from the counts of n requests and of MORE times n."""
    rise = statistics.median(large) - statistics.median(small)
    return rise / ((MORE - 1) * n)


def _worth(cost: float, instructions: int = WORTH) -> int:
    """Requests that take so many, from what one takes."""
    wanted = int(instructions / max(1.0, cost))
    return max(LEAST, min(MOST, 1 << max(0, wanted.bit_length() - 1)))


class Callgrind:
    """A guest under callgrind, warm; a context manager."""

    def __init__(self, subject: Subject) -> None:
        self._subject = subject

    def __enter__(self) -> Callgrind:
        with ExitStack() as stack:
            name = stack.enter_context(
                tempfile.TemporaryDirectory(prefix="wsgibench-")
            )
            under = callgrind.under(Path(name))
            self._loaded = stack.enter_context(
                _running(self._subject, under, Path(name))
            )
            self._loaded.warm()
            pid = self._loaded.guest.pid
            self._control = callgrind.Control(pid, Path(name))
            self._control.begin()
            self._stack = stack.pop_all()
        return self

    @property
    def is_jit(self) -> bool:
        return self._loaded.is_jit

    def count(self, requests: int, seed: int) -> callgrind.Counts:
        self._loaded.ask(requests, seed)
        return self._control.take()

    def __exit__(self, *exception: Any) -> None:
        self._stack.__exit__(*exception)


#: Of one subject: the counts of the smaller and of the larger number.
Taken = tuple[list[callgrind.Counts], list[callgrind.Counts]]


def instructions(subjects: Sequence[Subject]) -> list[dict[str, Any]]:
    """By callgrind: instructions and allocations of a request, of each."""
    with ExitStack() as stack:
        guests = [stack.enter_context(Callgrind(one)) for one in subjects]
        firsts = [
            guest.count(LEAST, 1).instructions / LEAST for guest in guests
        ]
        n = _worth(firsts[0], WORTH_JIT if guests[0].is_jit else WORTH)
        taken: list[Taken] = [([], []) for _ in guests]
        for turn in range(TURNS):
            places = list(range(len(guests)))
            for place in places if turn % 2 else reversed(places):
                guest, (small, large) = guests[place], taken[place]
                small.append(guest.count(n, 2 + 2 * turn))
                large.append(guest.count(MORE * n, 3 + 2 * turn))
    return [_counted(taken[0], one, n) for one in taken]


def _counted(first: Taken, own: Taken, n: int) -> dict[str, Any]:
    def number(name: str) -> float:
        """The first's slope, and the slope of what differs from it."""

        def values(taken: list[callgrind.Counts]) -> list[float]:
            return [float(getattr(one, name)) for one in taken]

        small, large = map(values, first)
        slope = _slope(small, large, n)
        if own is first:
            return slope
        apart = [
            [mine - its for mine, its in zip(values(half), base)]
            for half, base in zip(own, (small, large))
        ]
        return slope + _slope(apart[0], apart[1], n)

    return {
        "counter": "callgrind",
        "requests": n,
        "instructions": number("instructions"),
        # Of each turn, connecting included: how far they lie apart.
        "turns": [one.instructions / (MORE * n) for one in own[1]],
        "allocations": number("allocations"),
    }


def by_counters(subjects: Sequence[Subject]) -> list[dict[str, Any]]:
    """By perf stat: instructions only, at full speed."""
    return [_by_counters(one) for one in subjects]


def _by_counters(subject: Subject) -> dict[str, Any]:
    n = 4 * MOST

    def count(loaded: Loaded, requests: int, seed: int) -> float:
        with perf.Counting(usage.tree(loaded.guest.pid)) as counting:
            loaded.ask(requests, seed)
        return counting.instructions

    with _plain(subject) as loaded:
        small, large = [], []
        for turn in range(TURNS):
            small.append(count(loaded, n, 2 + 2 * turn))
            large.append(count(loaded, MORE * n, 3 + 2 * turn))
    return {
        "counter": "perf",
        "requests": n,
        "instructions": _slope(small, large, n),
        "turns": [one / (MORE * n) for one in large],
    }


@contextmanager
def _plain(subject: Subject) -> Iterator[Loaded]:
    """A guest that runs by itself, warm."""
    under = Under(variables={"PYTHONHASHSEED": "0"})
    with tempfile.TemporaryDirectory(prefix="wsgibench-") as name, _running(
        subject, under, Path(name)
    ) as loaded:
        loaded.warm()
        yield loaded


def system_calls(subject: Subject) -> dict[str, Any]:
    """Calls by name, and context switches, of a request. The switches are
    counted before strace attaches, for it adds some."""
    n = MOST
    with _plain(subject) as loaded:
        pid = loaded.guest.pid
        totals = [calls.switches(pid)]
        for seed, count in enumerate((n, MORE * n), 1):
            loaded.ask(count, seed)
            totals.append(calls.switches(pid))
        small, large = totals[1] - totals[0], totals[2] - totals[1]
        found: dict[str, Any] = {"switches": _slope([small], [large], n)}
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
