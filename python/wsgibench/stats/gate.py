"""Did the new version lose? One rule for what is counted, one for time."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from wsgibench.stats import (
    comparison,
    counted,
    noise,
    samples,
    summary,
    waiting,
)
from wsgibench.stats.bootstrap import Interval
from wsgibench.stats.counted import Counted, Difference
from wsgibench.verdicts import INVALID

#: Reasons against a row that are the server's or the application's doing.
FAILURES = ("wrong-answers", "failures", "unanswered", "died")
#: Time, even paired in blocks: less is not found on a machine with
#: neighbours, and what is lost in instructions is counted anyway.
TIMED_MARGIN = 0.03
#: What is waited hardly differs from start to start.
WAITED_MARGIN = 0.01


@dataclass(frozen=True)
class Timed:
    cell: str
    base: float  # us of CPU a request
    new: float
    ratio: Interval | None  # cost of new / cost of base
    floor: float  # how far base was from itself, as a part
    verdict: str  # of comparison.py, of the new version's speed
    reason: str
    waits: str  # how much longer, in words; "" if it does not
    fails: str = ""  # why the new version's answers are no answers


def judge_counted(
    cells: dict[str, dict[str, Any]], margin: float
) -> list[Difference]:
    """`cells`: base, new and base again. What the two bases differ by is
    noise; twice of it counts as none too. They took their turns together, so
    of their own noise only what is left of it in each turn's difference.

    Where the heap of a process happens to lie may cost it 2 % more, in one
    start of ten: of several rounds those count whose bases agree, and of
    these the one in which the new version lost least."""
    judged = _rounds(cells, margin)
    calm = [one for floor, one in judged if 2 * floor <= margin]
    if not calm:
        return min(judged, key=lambda one: one[0])[1] if judged else []
    return min(calm, key=loss)


def is_doubtful(cells: dict[str, dict[str, Any]], margin: float) -> bool:
    """Whether another round is due: no round's bases agree, or a loss stands
    on one round."""
    judged = _rounds(cells, margin)
    calm = [one for floor, one in judged if 2 * floor <= margin]
    if not calm:
        return True
    return len(calm) == 1 and bool(lost(calm[0], []))


def loss(found: list[Difference]) -> tuple[int, float]:
    most = max((one.ratio or 1.0 for one in found), default=1.0)
    return len(lost(found, [])), most


def _rounds(
    cells: dict[str, dict[str, Any]], margin: float
) -> list[tuple[float, list[Difference]]]:
    """Of each: how far the bases lie apart, as a part; the differences."""
    found = []
    for starts in zip(*(cell["starts"] for cell in cells.values())):
        one = [
            {**cell, "starts": [start]}
            for cell, start in zip(cells.values(), starts)
        ]
        base, new, again = map(counted.of_cell, one)
        if base is not None and new is not None:
            left = counted.noise_of_pairs(one[1])
            found.append(
                (
                    floor(base, again),
                    _differences(base, new, again, left, margin),
                )
            )
    return found


def _differences(
    base: Counted,
    new: Counted,
    again: Counted | None,
    left: float,
    margin: float,
) -> list[Difference]:
    limit = max(margin, 2 * floor(base, again)) if again else margin
    return counted.differences(
        replace(base, noise=0.0), replace(new, noise=left), limit
    )


def floor(base: Counted, again: Counted | None) -> float:
    if again is None or not base.instructions:
        return 0.0
    return abs(again.instructions / base.instructions - 1)


def judge_timed(
    cells: dict[str, dict[str, Any]], margin: float = TIMED_MARGIN
) -> Timed:
    base, new, again = cells.values()
    ratio = noise.paired(new, base, "server_cpu_us")
    apart = noise.paired(again, base, "server_cpu_us")
    least = noise.spread(apart) if apart is not None else 0.0
    limit = max(margin, least)
    disturbed = [one for one in (base, new) if _mostly_disturbed(one)]
    failing = [_failure(one) for one in (base, new)]
    fails = "" if failing[0] else failing[1]
    if any(failing):
        which = "A: " if failing[0] else "B: "
        verdict, reason = (
            comparison.CANNOT_TELL,
            which + (failing[0] or failing[1]),
        )
    elif ratio is None:
        verdict, reason = comparison.CANNOT_TELL, "nothing was measured"
    elif disturbed:
        words = next(iter(samples.disturbances(disturbed[0]).values()))
        verdict, reason = comparison.CANNOT_TELL, words
    else:
        verdict, reason = comparison.decide(ratio.inverse, ratio.p, limit)
    return Timed(
        base["name"],
        _cost(base),
        _cost(new),
        ratio,
        least,
        verdict,
        reason,
        "" if disturbed or any(failing) else _longer(base, new, again),
        fails,
    )


def _longer(
    base: dict[str, Any], new: dict[str, Any], again: dict[str, Any]
) -> str:
    """What no count and no CPU time shows: a sleep, a lock, a disk. Beyond
    twice what the two bases differ by."""
    waits, apart = (waiting.between(base, other) for other in (new, again))
    if waits is None or apart is None:
        return ""
    if any(summary.row(cell)["client_limited"] for cell in (base, new)):
        return ""
    limit = waiting.limit(WAITED_MARGIN, [apart])
    said, _ = comparison.decide(waits.speed, waits.speed.p, limit)
    return waits.words if said == comparison.SLOWER else ""


def _failure(cell: dict[str, Any]) -> str:
    """What is cheap because it is wrong has not won."""
    for one in summary.row(cell)["doubts"]:
        if one["level"] == INVALID and one["code"] in FAILURES:
            return str(one["what"])
    return ""


def _mostly_disturbed(cell: dict[str, Any]) -> bool:
    spoilt = len(samples.disturbances(cell))
    return spoilt > 0 and 2 * spoilt > len(samples.all_measured(cell))


def _cost(cell: dict[str, Any]) -> float:
    return float(summary.row(cell).get("server_cpu_us", 0.0))


def lost(counts: list[Difference], times: list[Timed]) -> list[str]:
    """A sentence for each loss; [] when the gate is passed."""
    found = []
    for one in counts:
        if one.verdict == counted.MORE:
            percent = 100 * ((one.ratio or 2.0) - 1)
            words = "%s: %.2f %% more %s" % (one.cell, percent, one.number)
            found.append(words + (one.reason and " (%s)" % one.reason))
    for two in times:
        if two.verdict == comparison.SLOWER and two.ratio is not None:
            found.append(
                "%s: %.1f %% more CPU time"
                % (two.cell, 100 * (two.ratio.estimate - 1))
            )
        if two.fails:
            found.append("%s: %s" % (two.cell, two.fails))
        if two.waits:
            found.append("%s: %s" % (two.cell, two.waits))
    return found
