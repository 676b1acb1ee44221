"""Which server, by how much, with what certainty: a record in sentences."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from wsgibench.load.hdr import Histogram
from wsgibench.stats import (
    bootstrap,
    comparison,
    histogram,
    ranking,
    samples,
    summary,
    warmup,
)
from wsgibench.stats.bootstrap import Interval
from wsgibench.stats.columns import marked, three
from wsgibench.stats.ranking import Ranking, Rival
from wsgibench.stats.warmup import StartCourse
from wsgibench.verdicts import CPU, GOODPUT, INVALID


@dataclass(frozen=True, eq=False)
class Entry:
    """A cell with all that is derived from it; equal to itself alone."""

    cell: dict[str, Any]
    row: dict[str, Any]
    measured: dict[int, samples.Windows]  # its undisturbed starts, by block
    cpu: Interval | None  # us per request
    goodput: Interval | None  # requests/s
    times: Histogram
    courses: list[StartCourse]

    @property
    def server(self) -> str:
        return str(self.row["server"])

    @property
    def python(self) -> str:
        return str(self.row["python"])

    @property
    def cost(self) -> float:
        """us per request; infinite without a start that gave a result."""
        return self.cpu.estimate if self.cpu else math.inf

    @property
    def load(self) -> str:
        """What it was asked, in words; equal for what may be compared."""
        row = self.row
        words = [row["scenario"]]
        if row["load_name"]:
            words.append(row["load_name"])
        if row["path"]:
            words.append(row["path"])
        words.append("%d connections" % row["connections"])
        if not row["keepalive"]:
            words.append("no keep-alive")
        if row["pace"]:
            words.append(row["pace"])
        return ", ".join(words)


def entry(cell: dict[str, Any]) -> Entry:
    measured = samples.measured(cell)
    times = histogram.of_cell(cell, measured)
    found: dict[str, Interval | None] = {"server_cpu_us": None}
    for metric in ("server_cpu_us", "goodput"):
        series = [one.series(metric) for one in measured.values()]
        found[metric] = bootstrap.mean(series) if series else None
    return Entry(
        cell,
        summary.row(cell, times),
        measured,
        found["server_cpu_us"],
        found["goodput"],
        times,
        warmup.courses(samples.starts(cell, measured)),
    )


def entries(record: dict[str, Any]) -> list[Entry]:
    """In the order of a table: alike loads together, cheapest first."""

    def place(one: Entry) -> tuple[Any, ...]:
        row = one.row
        return (
            row["scenario"],
            row["load_name"],
            not row["keepalive"],
            row["pace"],
            row["connections"],
            row["python"],
            one.cost,
        )

    return sorted(map(entry, record["cells"]), key=place)


def contenders(found: Iterable[Entry]) -> list[Entry]:
    """Who is asked about: not the ceiling, no A/A row."""
    return [
        one
        for one in found
        if one.cell["server"] != summary.CEILING and not one.cell.get("aa")
    ]


def why_barred(one: Entry) -> str:
    """Why a contender is not ranked; "" if it is."""
    wrong = [d for d in one.row["doubts"] if d["code"] == "wrong-answers"]
    if wrong:
        return str(wrong[0]["what"])
    if one.cpu is None:
        return "no start of it gave a result"
    if one.row["verdict"] == INVALID:
        bad = [d for d in one.row["doubts"] if d["level"] == INVALID]
        return str(bad[0]["what"]) if bad else "INVALID"
    return ""


@dataclass(frozen=True)
class Answer:
    load: str
    python: str
    ranking: Ranking[Entry]

    @property
    def best(self) -> Entry:
        return self.ranking.best

    @property
    def next(self) -> Rival[Entry] | None:
        return self.ranking.rivals[0] if self.ranking.rivals else None


def answers(record: dict[str, Any], found: list[Entry]) -> list[Answer]:
    """One for each load and interpreter on which somebody is ranked."""
    groups: dict[tuple[str, str], list[Entry]] = {}
    for one in contenders(found):
        if not why_barred(one):
            groups.setdefault((one.load, one.python), []).append(one)
    return [
        Answer(*key, ranked)
        for key, ranked in zip(
            groups, ranking.rank(record, list(groups.values()))
        )
    ]


def interval_text(value: Interval, form: str = "") -> str:
    """`form` is a % format; without one it is three digits."""

    def text(number: float) -> str:
        return form % number if form else three(number)

    if not value.known:
        return text(value.estimate)
    return "%s [%s, %s]" % tuple(
        map(text, (value.estimate, value.low, value.high))
    )


def shared(one: Entry, other: Entry) -> str:
    """Over how many starts the two are held against each other; "" if these
    are all that either has, so that their ratio is that of their numbers."""
    both = len(one.measured.keys() & other.measured.keys())
    either = len(one.measured.keys() | other.measured.keys())
    return "%d of %d" % (both, either) if both < either else ""


def cpu_text(one: Entry, form: str = "") -> str:
    """us per request with its interval and its verdict."""
    if one.cpu is None:
        return "-"
    return marked(one.row, CPU, interval_text(one.cpu, form))


def goodput_text(one: Entry, form: str = "") -> str:
    """Requests/s, the same."""
    if one.goodput is None:
        return "-"
    return marked(one.row, GOODPUT, interval_text(one.goodput, form))


def sentence(answer: Answer) -> str:
    """Without the names of load and interpreter, which stand before it."""
    best, rival = answer.best, answer.next
    words = "%s costs %s us of server CPU per request" % (
        best.server,
        cpu_text(best),
    )
    if rival is None:
        return words + "; nothing else was measured there."
    said = words + _beside(best, rival)
    starts = shared(best, rival.who)
    if starts and rival.ratio is not None:
        said += ", over the %s starts in which both were undisturbed" % starts
        said += " (the means in the table: over all such starts of each)"
    return said + "."


def _beside(best: Entry, rival: Rival[Entry]) -> str:
    server = rival.who.server
    if rival.ratio is None:
        return "; %s was never measured in one block with it" % server
    ratio = interval_text(rival.ratio)
    if best.row["starts"] < 2:
        return (
            ", the next, %s, %s times as much; from one start each, so how "
            "sure that is nobody can tell (--profile standard)"
            % (server, ratio)
        )
    if rival.verdict == comparison.SAME:
        return ", and %s the same (%s times)" % (server, ratio)
    if rival.told:
        return "; the next, %s, %s times as much (p = %.2g)" % (
            server,
            ratio,
            rival.p,
        )
    return "; whether %s (%s times as much) is worse cannot be told" % (
        server,
        ratio,
    )
