"""Which numbers of a cell may be believed, and what to do about the others.

The doubts that one load gives are in its result (load/doubts.py). Here are
added those that only show beside the server's CPU, over the windows and over
several starts; both are put into words by wsgibench/verdicts.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from wsgibench import verdicts
from wsgibench.load.hdr import Histogram
from wsgibench.stats import histogram, samples, stall, steadiness, warmup
from wsgibench.stats.samples import Windows
from wsgibench.stats.warmup import StartCourse
from wsgibench.stats.wording import together
from wsgibench.verdicts import (
    GOODPUT,
    INVALID,
    LATENCY,
    NOTE,
    NUMBERS,
    SUSPECT,
    Doubt,
    doubt,
)

#: Codes of the generator that are known better here.
KNOWN_BETTER = ("stolen",)
#: Of the requests that were asked for; fewer is a shorter run.
ENOUGH = 0.99


@dataclass(frozen=True)
class Judgement:
    doubts: tuple[Doubt, ...]
    server_cpu_share: float
    label: str  # see warmup.py
    cpu_range: tuple[float, float] | None  # if no number says it

    def of(self, number: str) -> str:
        return verdicts.of_number(number, self.doubts)


def merged(
    kept: Sequence[Sequence[Doubt]], left_out: Sequence[Sequence[Doubt]] = ()
) -> list[Doubt]:
    """The doubts of a cell from those of its starts. One start that went
    wrong spoils the cell, one that is left out of its numbers too: what the
    machine did to it gave no wrong answer. What only qualifies a number
    counts when half of the starts that the number is of have it: less moves
    their mean by little."""
    groups: dict[tuple[str, str], list[Doubt]] = {}
    spoilt = [one for each in left_out for one in each if _is_spoilt(one)]
    for doubts in (*kept, spoilt):
        for one in doubts:
            groups.setdefault((one["code"], one["level"]), []).append(one)
    found = []
    for (code, level), group in groups.items():
        if level != INVALID and 2 * len(group) < len(kept):
            continue
        numbers = [
            name
            for name in NUMBERS
            if any(name in one["numbers"] for one in group)
        ]
        what = "; ".join(together([one["what"] for one in group]))
        remedy = group[0]["remedy"]
        found.append(doubt(code, level, numbers, what, remedy))
    return found


def _is_spoilt(one: Doubt) -> bool:
    return one["level"] == INVALID


def cpu_share(measured: list[Windows]) -> float:
    """Of one CPU, in the measured windows."""
    seconds = sum(float(one.seconds.sum()) for one in measured)
    used = sum(float(one.cpu_us.sum()) for one in measured)
    return used / 1e6 / seconds if seconds else 0.0


def judge(
    cell: dict[str, Any],
    blocks: dict[int, Windows],
    courses: list[StartCourse],
    times: Histogram,
) -> Judgement:
    """`blocks`: what samples.measured() found; `courses` and `times` are of
    the same starts."""
    starts = cell["starts"]
    kept = samples.starts(cell, blocks)
    left_out = [s for s in starts if blocks and s["start"] not in blocks]
    measured = list(blocks.values())
    share = cpu_share(measured)
    disturbed = _machine(cell)
    doubtful = None if disturbed else steadiness.doubtful(measured)
    found = [
        *disturbed,
        *merged(*(list(map(_of_load, some)) for some in (kept, left_out))),
        *merged([_of_start(start, cell["load"]) for start in kept]),
        *([doubtful.why] if doubtful else []),
        *_stall(times, share),
        *_few(times),
    ]
    if not starts:
        found.append(
            doubt(
                "no-start",
                INVALID,
                NUMBERS,
                "no start of it gave a result",
                "the failures of the record say why",
            )
        )
    elif verdicts.worst(found) != INVALID:
        found += _unanswered(cell, measured)
    order = (INVALID, SUSPECT, NOTE)
    found.sort(key=lambda one: order.index(one["level"]))
    return Judgement(
        tuple(found),
        share,
        warmup.label(courses),
        doubtful.range if doubtful else None,
    )


def _of_load(start: dict[str, Any]) -> list[Doubt]:
    doubts: list[Doubt] = start["load"]["doubts"]
    return [one for one in doubts if one["code"] not in KNOWN_BETTER]


def _of_start(start: dict[str, Any], asked: dict[str, Any]) -> list[Doubt]:
    found = []
    wanted, done = asked.get("requests", 0), start["load"]["classes"]["ok"]
    if wanted and done < ENOUGH * wanted:
        found.append(
            doubt(
                "fewer-requests",
                SUSPECT,
                # What a request costs depends on how many there were only
                # while it warms up, and its course shows that.
                (GOODPUT, LATENCY),
                "%d of %d requests were made within its time" % (done, wanted),
                "a longer --duration",
            )
        )
    drops = start.get("listener_drops", 0)
    # A listener with TCP_DEFER_ACCEPT counts the last packet of each handshake
    # as a drop, too. A client that was dropped has sent something again; a
    # tool of others does not tell (None).
    if drops and start["load"].get("connections", {}).get("resent") != 0:
        found.append(
            doubt(
                "listen-drops",
                SUSPECT,
                (GOODPUT, LATENCY),
                "its accept queue was full: %d connections were dropped and "
                "tried again a second later" % drops,
                "a longer backlog (somaxconn), fewer connections, or a "
                "server that accepts sooner",
            )
        )
    return found


def _unanswered(cell: dict[str, Any], measured: list[Windows]) -> list[Doubt]:
    """A start without an answer has no number to put beside the others'."""
    starts = cell["starts"]
    silent = sum(
        not samples.windows(one).after(cell["load"]).ok.sum() for one in starts
    )
    if measured and not silent:
        return []
    what = "nothing was answered within the measured time"
    if measured:
        what = "in %d of %d starts %s" % (silent, len(starts), what)
    remedy = "a longer --duration"
    return [doubt("unanswered", INVALID, NUMBERS, what, remedy)]


def _machine(cell: dict[str, Any]) -> list[Doubt]:
    spoilt = samples.disturbances(cell)
    total = len(samples.all_measured(cell))
    if not spoilt or 2 * len(spoilt) <= total:
        return []
    what = "; ".join(together(list(spoilt.values())))
    if total > 1:
        what = "in %d of %d starts %s" % (len(spoilt), total, what)
    return [
        doubt(
            "machine-busy",
            INVALID,
            NUMBERS,
            what,
            "stop them (doctor says what it sees), use a machine of your own, "
            "or count instead (run --counted)",
        )
    ]


def _few(times: Histogram) -> list[Doubt]:
    """Why a p99 is missing beside numbers that stand."""
    if not times.count or histogram.quantile(times, 0.99) is not None:
        return []
    what = "fewer than 1,000 answers tell no p99"
    return [doubt("few", NOTE, (LATENCY,), what, "a longer --duration")]


def _stall(times: Histogram, share: float) -> list[Doubt]:
    words = stall.delayed_ack(times, share)
    if not words:
        return []
    remedy = "the numbers are what its clients get"
    return [doubt("stall", NOTE, (GOODPUT, LATENCY), words, remedy)]
