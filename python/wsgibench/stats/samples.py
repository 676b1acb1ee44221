"""A start of a cell as arrays: what each window counted.

Enters a start of a record; leaves a `Windows`, from which every metric is
a quotient of two sums, so that windows with few requests weigh little.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from wsgibench.stats import machine

Array = np.ndarray[Any, np.dtype[np.float64]]
Flags = np.ndarray[Any, np.dtype[np.bool_]]

#: Requests without which a window's cost says little: neighbours are put
#: together until they have as many.
WORTH = 100
#: Parts of a start without which a quartile of them says little.
PARTS = 4


@dataclass(frozen=True)
class Series:
    """Numerators and denominators of one start, window by window."""

    above: Array
    below: Array

    @property
    def value(self) -> float:
        return float(self.above.sum() / self.below.sum())

    @property
    def each(self) -> Array:
        """The quotient in each window that has one."""
        some = self.below > 0
        found: Array = self.above[some] / self.below[some]
        return found


@dataclass(frozen=True)
class Windows:
    begin: Array  # seconds from the start of the load
    seconds: Array  # the length of each
    ok: Array  # requests answered rightly
    cpu_us: Array  # used by the server's processes
    #: Seconds until it had settled, if that is how the warm-up ended.
    warmup: float | None = None

    def after(self, asked: dict[str, Any]) -> Windows:
        """Those behind the warm-up, which is a time or, where a published
        benchmark threw away its first requests, a number of them. Of a run
        that made fewer requests than were asked for, the same share is left
        out."""
        discard = asked.get("discard", 0)
        if discard:
            total = float(self.ok.sum())
            wanted = max(1, asked.get("requests", 0) or total)
            left_out = discard * min(1.0, total / wanted)
            return self.only(np.cumsum(self.ok) - self.ok >= left_out)
        fixed = float(asked["warmup"])
        return self.since(fixed if self.warmup is None else self.warmup)

    def since(self, seconds: float) -> Windows:
        return self.only(self.begin >= seconds - 1e-9)

    def only(self, keep: Flags) -> Windows:
        return Windows(
            self.begin[keep],
            self.seconds[keep],
            self.ok[keep],
            self.cpu_us[keep],
            self.warmup,
        )

    def series(self, metric: str) -> Series:
        """`goodput` (1/s), `server_cpu_us` (us per request), or the same in
        the quiet windows, `server_cpu_us_quiet`."""
        if metric == "goodput":
            return Series(self.ok, self.seconds)
        if metric == "server_cpu_us_quiet":
            return self._quiet()
        return Series(self.cpu_us, self.ok)

    def _quiet(self) -> Series:
        """A single number: the lower quartile of the windows' cost. Who
        shares caches and cores with the server makes windows dearer and
        none cheaper, so up to three in four may be disturbed. What the
        server itself does but seldom is not in it either."""
        before = np.cumsum(self.ok) - self.ok
        _, part = np.unique(before // WORTH, return_inverse=True)
        ok = np.bincount(part, weights=self.ok)
        used = np.bincount(part, weights=self.cpu_us)
        if len(ok) < PARTS:
            return Series(used.sum(keepdims=True), ok.sum(keepdims=True))
        costs = used[ok > 0] / ok[ok > 0]
        return Series(np.quantile(costs, [0.25]), np.ones(1))

    def usable(self) -> bool:
        return bool(self.ok.sum() > 0 and self.cpu_us.sum() > 0)


def _length(window: dict[str, Any]) -> int:
    return int(window["end_ns"] - window["start_ns"])


def windows(start: dict[str, Any]) -> Windows:
    """All of them, the warm-up too. CPU between usage samples is taken by
    straight line: both clocks are CLOCK_MONOTONIC. The rest of a window in
    which the load ended is left out: the sample behind it is of a server that
    had nothing to do any more."""
    load = start["load"]
    found = load["windows"]
    if len(found) > 1 and 2 * _length(found[-1]) < _length(found[-2]):
        found = found[:-1]
    begin = np.array([w["start_ns"] for w in found], dtype=float)
    end = np.array([w["end_ns"] for w in found], dtype=float)
    times = np.array([s["time_ns"] for s in start["usage"]], dtype=float)
    used = np.array([s["cpu_ns"] for s in start["usage"]], dtype=float)
    if not len(times):
        times, used = np.zeros(1), np.zeros(1)
    at_begin = np.interp(begin + load["start_ns"], times, used)
    at_end = np.interp(end + load["start_ns"], times, used)
    return Windows(
        begin / 1e9,
        (end - begin) / 1e9,
        np.array([w["ok"] for w in found], dtype=float),
        (at_end - at_begin) / 1e3,
        start.get("warmup", {}).get("seconds"),
    )


def all_measured(cell: dict[str, Any]) -> dict[int, Windows]:
    """Block number -> what was measured after the warm-up; starts in which
    nothing was answered are left out."""
    found = {
        start["start"]: windows(start).after(cell["load"])
        for start in cell["starts"]
    }
    return {key: one for key, one in found.items() if one.usable()}


def disturbance(start: dict[str, Any], asked: dict[str, Any] | None) -> str:
    """Why the machine's part in this start was too large; "" if not. Without
    a load it is one of the application alone, and only the CPU's speed
    counts."""
    if asked is None:
        return machine.disturbance(start, 0.0, 0.0)
    found = windows(start).after(asked)
    if not found.usable():
        return ""
    end = float(found.begin[-1] + found.seconds[-1])
    return machine.disturbance(start, float(found.begin[0]), end)


def disturbances(cell: dict[str, Any]) -> dict[int, str]:
    """Block number -> its sentence, of the starts that have one."""
    found = {
        start["start"]: disturbance(start, cell["load"])
        for start in cell["starts"]
    }
    return {key: words for key, words in found.items() if words}


def measured(cell: dict[str, Any]) -> dict[int, Windows]:
    """all_measured() without the starts that the machine disturbed, as long
    as half of them are left; otherwise all, and the cell is INVALID."""
    found = all_measured(cell)
    spoilt = disturbances(cell)
    kept = {key: one for key, one in found.items() if key not in spoilt}
    return kept if 2 * len(kept) >= len(found) else found


def starts(
    cell: dict[str, Any], kept: dict[int, Windows]
) -> list[dict[str, Any]]:
    """Those that every number of the cell is of; `kept`: what measured()
    found. All where nothing was found: then there is no number, and the
    reasons are of all."""
    every: list[dict[str, Any]] = cell["starts"]
    return [one for one in every if one["start"] in kept] or every


def of_cell(cell: dict[str, Any], metric: str) -> list[Series]:
    """One for each start in which something was answered."""
    return [one.series(metric) for one in measured(cell).values()]
