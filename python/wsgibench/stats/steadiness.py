"""Is there one CPU per request in what was measured of a cell?

Not where it changed while it was measured, or where its starts are of two
kinds or too far apart. What noise explains is in the interval instead.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from wsgibench.stats import shift
from wsgibench.stats.columns import three
from wsgibench.stats.samples import Windows
from wsgibench.stats.shift import Shift
from wsgibench.verdicts import CPU, GOODPUT, NUMBERS, SUSPECT, Doubt, doubt

#: Standard error of the mean of at least so many starts beyond which it is
#: too vague: its interval is then about twice that to either side.
VAGUE, FEW = 0.05, 3
STAYS = "if it stays, the range is the result"


@dataclass(frozen=True)
class Doubtful:
    why: Doubt
    range: tuple[float, float] | None  # instead of the number, us


def _used(one: Windows) -> Windows:
    return one.only((one.ok > 0) & (one.cpu_us > 0))


def doubtful(measured: Sequence[Windows]) -> Doubtful | None:
    """`measured`: of each start. Most of the starts must have changed, or all
    of them together: one that something else on the machine disturbed is what
    the others are for."""
    starts = [one for one in map(_used, measured) if len(one.ok)]
    shifts = [shift.find(one.cpu_us, one.ok) for one in starts]
    found = [
        (one, step) for one, step in zip(starts, shifts) if step is not None
    ]
    if 2 * len(found) > len(starts):
        return _steps(found, len(starts))
    halves = [_halves(one) for one in starts if len(one.ok) > 1]
    drift = shift.together([math.log(b / a) for a, b in halves])
    if drift:
        return _drift(drift, halves)
    return _apart([one.series(CPU).value for one in starts])


def _halves(one: Windows) -> tuple[float, float]:
    """The CPU per request in each half of the windows."""
    half = len(one.ok) // 2
    is_first = np.arange(len(one.ok)) < half
    return (
        one.only(is_first).series(CPU).value,
        one.only(~is_first).series(CPU).value,
    )


def _steps(found: list[tuple[Windows, Shift]], count: int) -> Doubtful:
    sizes = [step.size for _, step in found]
    size = "%.0f %%" % (100 * statistics.median(map(abs, sizes)))
    if count > 1:
        size += " in %d of %d starts" % (len(found), count)
    if max(sizes) < 0:
        behind = max(float(one.begin[step.at]) for one, step in found)
        remedy = "give it a --warmup of %.1f s" % behind
        return _warming("the CPU per request fell by " + size, remedy)
    levels = [level for _, step in found for level in step.levels]
    verb = "rose" if min(sizes) > 0 else "changed"
    return _unsteady("the CPU per request %s by %s" % (verb, size), levels)


def _drift(drift: float, halves: list[tuple[float, float]]) -> Doubtful:
    words = "by %.0f %% from the first half of the time to the second, in %d "
    words = words % (100 * abs(drift), len(halves)) + "starts together"
    if drift < 0:
        remedy = "a longer --warmup"
        return _warming("the CPU per request fell " + words, remedy)
    levels = [level for both in halves for level in both]
    return _unsteady("the CPU per request rose " + words, levels)


def _warming(what: str, remedy: str) -> Doubtful:
    what = "measured while it warmed up: " + what
    numbers = (CPU, GOODPUT)
    return Doubtful(doubt("warming-up", SUSPECT, numbers, what, remedy), None)


def _unsteady(what: str, levels: list[float]) -> Doubtful:
    least, most = min(levels), max(levels)
    between = ", between %s and %s us" % (three(least), three(most))
    what = "it did not settle: " + what + between
    remedy = "a longer --warmup-limit and --duration; " + STAYS
    return Doubtful(
        doubt("unsteady", SUSPECT, NUMBERS, what, remedy), (least, most)
    )


def _apart(values: list[float]) -> Doubtful | None:
    """Of starts each of which is steady."""
    groups = shift.kinds(values)
    if groups is not None:
        low, high = (three(statistics.median(one)) for one in groups)
        what = "its starts are of two kinds: %d at about %s us, %d at about "
        what += "%s us"
        what = what % (len(groups[0]), low, len(groups[1]), high)
        remedy = "find what differs between them; " + STAYS
        return Doubtful(
            doubt("two-kinds", SUSPECT, (CPU,), what, remedy),
            (min(values), max(values)),
        )
    if len(values) < FEW:
        return None
    error = float(np.std(np.log(values), ddof=1)) / math.sqrt(len(values))
    if error <= VAGUE:
        return None
    what = "its %d starts went from %s to %s us, so their mean has a standard "
    what += "error of %.0f %%"
    ends = three(min(values)), three(max(values))
    what = what % (len(values), *ends, 100 * error)
    why = doubt("vague", SUSPECT, (CPU,), what, "more --starts")
    return Doubtful(why, None)
