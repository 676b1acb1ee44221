"""Whose time is it? A request's CPU time, split into the application's, the
kernel's and the server's; from the baseline without a server.

    application   CPU of a call without a server, its system calls with it
    kernel        system time of the server's processes beyond that
    server        the rest
    waiting       time of a call in which nothing was computed

A call alone can cost more than a request to a server: how memory lies in one
process or the other is worth up to a third of a tight loop. Nothing is told of
such a cell but that.

Each start of a server is held against the baseline of its own block.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from wsgibench.stats import samples
from wsgibench.stats.bootstrap import Interval

#: A part of the time of a call that is worth a word.
WAITING = 0.1
#: By how much more than a request a call may cost, which is noise.
NOISE = 0.03


@dataclass(frozen=True)
class Split:
    """us per request; `share` is the application's part of the CPU time."""

    application: Interval
    server: Interval
    kernel: Interval
    waiting: Interval
    share: Interval

    @property
    def told(self) -> bool:
        """False where a call alone cost more than the whole request."""
        share = self.share
        return (share.low if share.known else share.estimate) <= 1 + NOISE

    @property
    def parts(self) -> tuple[tuple[str, Interval], ...]:
        return (
            ("application", self.application),
            ("server", self.server),
            ("kernel", self.kernel),
        )


def _from_zero(value: Interval) -> Interval:
    """Nothing takes less than no time."""
    return replace(
        value,
        estimate=max(0.0, value.estimate),
        low=max(0.0, value.low),
        high=max(0.0, value.high),
    )


def mean(values: Sequence[float], level: float = 0.95) -> Interval:
    """The arithmetic mean over the starts, with Student's interval."""
    count = len(values)
    middle = sum(values) / count
    if count < 2:
        return Interval(middle, 0.0, math.inf, 1.0, count)
    from scipy import stats

    variance = sum((value - middle) ** 2 for value in values) / (count - 1)
    t = float(stats.t.ppf((1 + level) / 2, count - 1))
    half = t * math.sqrt(variance / count)
    return Interval(middle, middle - half, middle + half, 1.0, count)


def _system_share(start: dict[str, Any], after_s: float) -> float:
    """Of the CPU time of the server's processes behind the warm-up."""
    begin = start["load"]["start_ns"] + 1e9 * after_s
    end = start["load"]["start_ns"] + start["load"]["duration_ns"]
    inside = [s for s in start["usage"] if begin <= s["time_ns"] <= end]
    if len(inside) < 2:
        inside = start["usage"]
    if len(inside) < 2:
        return 0.0
    first, last = inside[0], inside[-1]
    used = last["cpu_ns"] - first["cpu_ns"]
    system = last.get("system_ns", 0) - first.get("system_ns", 0)
    return min(1.0, system / used) if used > 0 else 0.0


def baseline(
    record: dict[str, Any], python: dict[str, Any]
) -> dict[int, dict[str, Any]]:
    """Block -> what the application took alone on this interpreter; without
    the blocks in which the CPU was slow, as long as half of them are left."""
    found = {
        start["start"]: start
        for one in record.get("baselines", [])
        if one["python"]["name"] == python["name"]
        for start in one["starts"]
        if start["calls"]
    }
    calm = {
        block: start
        for block, start in found.items()
        if not samples.disturbance(start, None)
    }
    return calm if 2 * len(calm) >= len(found) else found


def of_cell(record: dict[str, Any], cell: dict[str, Any]) -> Split | None:
    alone = baseline(record, cell["python"])
    measured = samples.measured(cell)
    rows = []
    for start in cell["starts"]:
        block = start["start"]
        if block not in alone or block not in measured:
            continue
        base = alone[block]
        total = measured[block].series("server_cpu_us").value
        own = base["cpu_ns"] / base["calls"] / 1e3
        # What the machine made it wait is no waiting of its own.
        wall = base["wall_ns"] - base.get("queue_ns", 0)
        wall = wall / base["calls"] / 1e3
        process = max(1, base["user_ns"] + base["system_ns"])
        own_system = own * base["system_ns"] / process
        after = float(measured[block].begin[0])
        system = total * _system_share(start, after)
        kernel = max(0.0, system - own_system)
        server = total - own - kernel
        rows.append((own, server, kernel, max(0.0, wall - own), own / total))
    if not rows:
        return None
    return Split(*(_from_zero(mean(list(column))) for column in zip(*rows)))


def routes(record: dict[str, Any], python: dict[str, Any]) -> dict[str, float]:
    """Route -> CPU us of a call without a server, over all starts."""
    sums: dict[str, list[float]] = {}
    for start in baseline(record, python).values():
        for name, (calls, cpu_ns, _) in start["routes"].items():
            total = sums.setdefault(name, [0.0, 0.0])
            total[0] += calls
            total[1] += cpu_ns / 1e3
    return {name: cpu / calls for name, (calls, cpu) in sums.items() if calls}
