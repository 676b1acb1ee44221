"""Is a cell worth believing, and which of its numbers should lead?

The load generator judged each start by what it saw (load/verdict.py). Here
is added what only shows beside the server's CPU and over the windows.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from wsgibench.load.hdr import Histogram
from wsgibench.stats import histogram, stall, warmup
from wsgibench.stats.samples import Windows
from wsgibench.stats.warmup import StartCourse

CLIENT_LIMIT = 0.8  # of a CPU that the client used
ORDER = ("INVALID", "SUSPECT", "VALID")


@dataclass(frozen=True)
class Judgement:
    verdict: str
    reasons: tuple[str, ...]
    client_limited: bool
    server_cpu_share: float
    label: str  # see warmup.py


NUMBER = re.compile(r"\d+(?:\.\d+)?")


def together(reasons: Sequence[str]) -> list[str]:
    """Each sentence once: where several starts say the same with numbers of
    their own, the least and the largest stand for them."""
    said: dict[str, list[list[str]]] = {}
    for reason in reasons:
        words = NUMBER.sub("%s", reason.replace("%", "%%"))
        said.setdefault(words, []).append(NUMBER.findall(reason))
    found = []
    for words, numbers in sorted(said.items()):
        spans = []
        for values in zip(*numbers):
            ends = min(values, key=float), max(values, key=float)
            spans.append(" to ".join(dict.fromkeys(ends)))
        found.append(words % tuple(spans))
    return found


def cpu_share(measured: list[Windows]) -> float:
    """Of one CPU, in the measured windows."""
    seconds = sum(float(one.seconds.sum()) for one in measured)
    used = sum(float(one.cpu_us.sum()) for one in measured)
    return used / 1e6 / seconds if seconds else 0.0


def latencies(
    cell: dict[str, Any], measured: dict[int, Windows]
) -> Histogram:
    begins = {block: float(one.begin[0]) for block, one in measured.items()}
    return histogram.of_cell(cell, begins)


def judge(
    cell: dict[str, Any],
    measured: list[Windows],
    courses: list[StartCourse],
    times: Histogram,
) -> Judgement:
    loads = [start["load"] for start in cell["starts"]]
    verdicts = {load["verdict"] for load in loads} or {"INVALID"}
    reasons = together([r for load in loads for r in load["reasons"]])
    if not loads:
        reasons.append("no start of it gave a result")
    share = cpu_share(measured)
    client = max((load["client_cpu_share"] for load in loads), default=0.0)
    limited = client > CLIENT_LIMIT and not cell["load"].get("rate")
    label = warmup.label(courses)
    found = [stall.delayed_ack(times, share)]
    if limited:
        found.append(
            "the client was the limit (%.0f %% of its CPU): read the CPU "
            "per request, not the requests/s" % (100 * client)
        )
    found += _unsteady(cell, courses)
    more = [reason for reason in found if reason]
    if more:
        verdicts.add("SUSPECT")
    return Judgement(
        next(one for one in ORDER if one in verdicts),
        (*reasons, *more),
        limited,
        share,
        label,
    )


def _unsteady(cell: dict[str, Any], courses: list[StartCourse]) -> list[str]:
    labels = [one.course.label for one in courses]
    found = []
    restless = labels.count(warmup.NO_STEADY_STATE)
    if restless:
        found.append(
            "no steady state in %d of %d starts" % (restless, len(labels))
        )
    late = max(
        (
            one.steady_seconds
            for one in courses
            if one.course.label == warmup.WARM_UP
        ),
        default=0.0,
    )
    begun = cell["load"]["warmup"]
    if not cell["load"].get("discard") and late > begun + 0.15:
        found.append(
            "it warmed up for %.1f s and was measured from %.1f s on: give "
            "it a longer --warmup" % (late, begun)
        )
    return found
