"""What a server waits in a request: a sleep, a lock, a disk.

In a closed loop that saturates it, a request takes its CPU and what is waited
in it. The CPU differs by some per cent from start to start, beside neighbours
by more, and requests/s with it; the waiting hardly does. So a loss that is
waiting alone shows where requests/s cannot tell.
"""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import Any

from wsgibench.stats import machine, samples
from wsgibench.stats.bootstrap import Interval

#: Of a CPU that a server of one CPU is seen to use, at most: both clocks are
#: read, one after the other.
WHOLE = 1.02
#: Less, as a part, is no number that a clock gave.
EXACT = 1e-9


def saturates(load: dict[str, Any]) -> bool:
    """A closed loop that does not wait by itself."""
    return not any(load.get(key) for key in ("rate", "fraction", "think"))


def of_cell(cell: dict[str, Any]) -> list[tuple[float, float]]:
    """(us that a request takes, us of these without CPU) of each start. []
    where the load waits by itself, or the server uses more than one CPU."""
    if not saturates(cell["load"]):
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


def between(a: dict[str, Any], b: dict[str, Any]) -> Waits | None:
    """What B waits more than A; Welch's interval. None where it cannot be
    told."""
    ours, theirs = of_cell(a), of_cell(b)
    if min(len(ours), len(theirs)) < 2:
        return None
    from scipy import stats

    takes = statistics.fmean(one[0] for one in ours)
    waits = [[one[1] for one in side] for side in (theirs, ours)]
    if max(map(statistics.pstdev, waits)) < EXACT * takes:
        return None
    found = stats.ttest_ind(*waits, equal_var=False)
    least, most = map(float, found.confidence_interval(0.95))
    more = statistics.fmean(waits[0]) - statistics.fmean(waits[1])
    speed = Interval(
        _speed(more, takes),
        _speed(most, takes),
        _speed(least, takes),
        float(found.pvalue),
        min(len(ours), len(theirs)),
    )
    return Waits(speed, more)


def _speed(more: float, takes: float) -> float:
    return 1 / max(1 + more / takes, EXACT)
