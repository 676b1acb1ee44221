"""Is a cell worth believing, and which of its numbers should lead?

The load generator judged each start by what it saw (load/verdict.py). Here
is added what only shows beside the server's CPU and over the windows.
"""

from __future__ import annotations

import re
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from wsgibench.load.hdr import Histogram
from wsgibench.stats import histogram, stall, warmup
from wsgibench.stats.samples import Windows
from wsgibench.stats.warmup import StartCourse

CLIENT_LIMIT = 0.8  # of a CPU that the client used
ORDER = ("INVALID", "SUSPECT", "VALID")
#: How load/verdict.py begins what is said better here, where the server's
#: CPU is known.
GENERATOR = "the generator used "


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
    found = [
        stall.delayed_ack(times, share),
        _unsteady(cell["load"], courses),
    ]
    if limited:
        reasons = [one for one in reasons if not one.startswith(GENERATOR)]
        found.append(
            "the client was the limit (%.0f %% of its CPU): read the CPU "
            "per request, not the requests/s" % (100 * client)
        )
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


def _unsteady(asked: dict[str, Any], courses: list[StartCourse]) -> str:
    """Only of what moves the cell's number: most of its starts must be off,
    for one that something else on the machine disturbed is what the others
    are for, and by more than anybody would choose a server for."""
    off = [one.bias(asked) for one in courses]
    size = statistics.median(map(abs, off)) if off else 0.0
    if size <= warmup.SAME:
        return ""
    late = [
        one.steady_seconds
        for one, bias in zip(courses, off)
        if one.course.label == warmup.WARM_UP and bias > warmup.SAME
    ]
    if 2 * len(late) > len(off):
        return (
            "measured while it warmed up, which makes its CPU per request "
            "%.0f %% higher: give it a --warmup of %.1f s"
            % (100 * size, max(late))
        )
    return (
        "no steady state: the CPU per request measured lies %.0f %% from "
        "where its starts ended (median of %d)" % (100 * size, len(off))
    )
