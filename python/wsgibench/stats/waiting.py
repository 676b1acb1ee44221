"""What a server waits in a request: a sleep, a lock, a disk.

In a closed loop that saturates it, a request takes its CPU and what is waited
in it. The CPU differs by some per cent from start to start, beside neighbours
by more, and requests/s with it; the waiting hardly does. So a loss that is
waiting alone shows where requests/s cannot tell.

With few connections the server waits for the client as well, whose time this
is not: nothing is told of these loads. And what is waited may be the work of
another process or of the kernel, which takes longer on a slower machine, or a
time by the clock, which does not; a difference between two runs must be there
either way.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from wsgibench.stats import machine, noise, samples
from wsgibench.stats.bootstrap import Interval

#: Of a CPU that a server of one CPU is seen to use, at most: both clocks are
#: read, one after the other.
WHOLE = 1.02
#: Less, as a part, is no number that a clock gave.
EXACT = 1e-9
#: Of the time, at most, in which all connections are at the client: a tenth
#: of what a gate looks for.
AT_CLIENT = 0.001


def saturates(load: dict[str, Any]) -> bool:
    """A closed loop that does not wait by itself."""
    return not any(load.get(key) for key in ("rate", "fraction", "think"))


def of_cell(cell: dict[str, Any]) -> list[tuple[float, float]]:
    """(us that a request takes, us of these without CPU) of each start. []
    where the load waits by itself, the server uses more than one CPU, or it
    may have waited for the client."""
    if not saturates(cell["load"]) or _at_client(cell) > AT_CLIENT:
        return []
    found = []
    starts = {start["start"]: start for start in cell["starts"]}
    for block, one in samples.measured(cell).items():
        takes = 1e6 / one.series("goodput").value
        cpu = one.series("server_cpu_us").value
        if cpu > WHOLE * takes:
            return []
        taken = _taken(starts[block], one)
        found.append((takes, takes * (1 - taken) - cpu))
    return found


def _at_client(cell: dict[str, Any]) -> float:
    """The part of the time in which the client has all connections, so that
    the server has nothing to do: one of them is there for the share of the
    time that the client works, each further one for that share of it (a
    closed queue of two stations, M/M/1; what is more regular has less)."""
    shares = [one["load"]["client_cpu_share"] for one in cell["starts"]]
    share = min(1.0, max([0.0, *shares]))
    return float(share ** max(1, cell["load"]["connections"]))


def _taken(start: dict[str, Any], measured: samples.Windows) -> float:
    """The part of the time in which others had the server's CPU: that is no
    waiting of its own."""
    if not machine.known(start):
        return 0.0
    begin = float(measured.begin[0])
    end = float(measured.begin[-1] + measured.seconds[-1])
    found = machine.shares(start, begin, end)
    return min(found.others, found.server_wait) + found.stolen


@dataclass(frozen=True)
class Waits:
    speed: Interval  # of B / of A, if nothing but the waiting differed
    more: float  # us of a request

    @property
    def words(self) -> str:
        which = "more" if self.more > 0 else "less"
        return "it waits %.3g us %s in a request" % (abs(self.more), which)


def between(
    a: dict[str, Any], b: dict[str, Any], machines: Sequence[float] = (1.0,)
) -> Waits | None:
    """What B waits more than A; Welch's interval. None where it cannot be
    told. `machines`: how many times longer B's machine may have taken. Of
    these the least difference is told; none if they do not agree which waits
    more."""
    ours, theirs = of_cell(a), of_cell(b)
    if min(len(ours), len(theirs)) < 2:
        return None
    takes = statistics.fmean(one[0] for one in ours)
    waits = [[one[1] for one in side] for side in (ours, theirs)]
    if max(map(statistics.pstdev, waits)) < EXACT * takes:
        return None
    found = [
        _welch(waits[0], [wait / longer for wait in waits[1]], takes)
        for longer in machines
    ]
    if min(one.more for one in found) < 0 < max(one.more for one in found):
        return None
    return min(found, key=lambda one: abs(one.more))


def _welch(ours: list[float], theirs: list[float], takes: float) -> Waits:
    from scipy import stats

    found = stats.ttest_ind(theirs, ours, equal_var=False)
    least, most = map(float, found.confidence_interval(0.95))
    more = statistics.fmean(theirs) - statistics.fmean(ours)
    speed = Interval(
        _speed(more, takes),
        _speed(most, takes),
        _speed(least, takes),
        float(found.pvalue),
        min(len(ours), len(theirs)),
    )
    return Waits(speed, more)


def limit(margin: float, apart: Iterable[Waits | None]) -> float:
    """The margin, or twice what was seen between A/A pairs if that is
    more."""
    seen = [2 * noise.spread(one.speed) for one in apart if one is not None]
    return max([margin, *seen])


def _speed(more: float, takes: float) -> float:
    return 1 / max(1 + more / takes, EXACT)
