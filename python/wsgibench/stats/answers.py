"""Which server, by how much, with what certainty: a record in sentences."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from wsgibench.load.hdr import Histogram
from wsgibench.stats import (
    bootstrap,
    comparison,
    discovery,
    noise,
    samples,
    summary,
    verdict,
    warmup,
)
from wsgibench.stats.bootstrap import Interval
from wsgibench.stats.columns import three
from wsgibench.stats.warmup import StartCourse


@dataclass(frozen=True)
class Entry:
    """A cell with all that is derived from it."""

    cell: dict[str, Any]
    row: dict[str, Any]
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
    times = verdict.latencies(cell, measured)
    found: dict[str, Interval | None] = {"server_cpu_us": None}
    for metric in ("server_cpu_us", "goodput"):
        series = [one.series(metric) for one in measured.values()]
        found[metric] = bootstrap.mean(series) if series else None
    courses = [warmup.of_start(start) for start in cell["starts"]]
    return Entry(
        cell,
        summary.row(cell, times),
        found["server_cpu_us"],
        found["goodput"],
        times,
        [one for one in courses if one is not None],
    )


def entries(record: dict[str, Any]) -> list[Entry]:
    """In the order of a table: alike loads together, cheapest first."""

    def place(one: Entry) -> tuple[Any, ...]:
        row = one.row
        cost = one.cpu.estimate if one.cpu else float("inf")
        return (
            row["scenario"],
            row["load_name"],
            not row["keepalive"],
            row["pace"],
            row["connections"],
            row["python"],
            cost,
        )

    return sorted(map(entry, record["cells"]), key=place)


@dataclass(frozen=True)
class Answer:
    load: str
    python: str
    best: Entry
    second: Entry | None
    ratio: Interval | None  # CPU of the second / CPU of the best
    p: float
    verdict: str  # of comparison.py; "faster" when the best is


def _comparable(found: Iterable[Entry]) -> dict[tuple[str, str], list[Entry]]:
    """Who may win: measured, not INVALID, not the ceiling, no A/A row."""
    groups: dict[tuple[str, str], list[Entry]] = {}
    for one in found:
        fit = one.cpu is not None and one.row["verdict"] != "INVALID"
        ceiling = one.cell["server"] == summary.CEILING
        if fit and not ceiling and not one.cell.get("aa"):
            groups.setdefault((one.load, one.python), []).append(one)
    return groups


def _answer(load: str, python: str, group: list[Entry]) -> Answer:
    best = group[0]
    if len(group) == 1:
        return Answer(load, python, best, None, None, 1.0, "")
    second = group[1]
    ratio = noise.paired(second.cell, best.cell, "server_cpu_us")
    p = ratio.p if ratio and ratio.known else 1.0
    return Answer(load, python, best, second, ratio, p, "")


def answers(record: dict[str, Any], found: list[Entry]) -> list[Answer]:
    groups = _comparable(found)
    drafts = [
        _answer(load, python, sorted(group, key=_cost))
        for (load, python), group in groups.items()
    ]
    margin = comparison.margins([record], 0.03)["server_cpu_us"]
    tested = [one for one in drafts if one.ratio and one.ratio.known]
    adjusted = dict(
        zip(
            map(id, tested),
            discovery.adjusted([one.p for one in tested]),
        )
    )
    final = []
    for one in drafts:
        p = adjusted.get(id(one), 1.0)
        decided = ""
        if one.ratio is not None:
            decided = comparison.decide(one.ratio, p, margin)[0]
        final.append(replace(one, p=p, verdict=decided))
    return final


def _cost(one: Entry) -> float:
    return one.cpu.estimate if one.cpu else float("inf")


def interval_text(value: Interval, form: str = "") -> str:
    """`form` is a % format; without one it is three digits."""

    def text(number: float) -> str:
        return form % number if form else three(number)

    if not value.known:
        return text(value.estimate)
    return "%s [%s, %s]" % tuple(
        map(text, (value.estimate, value.low, value.high))
    )


def sentence(answer: Answer) -> str:
    """Without the names of load and interpreter, which stand before it."""
    best, second = answer.best, answer.second
    assert best.cpu is not None
    words = "%s costs %s us of server CPU per request" % (
        best.server,
        interval_text(best.cpu),
    )
    if second is None or answer.ratio is None:
        return words + "; nothing else was measured there."
    ratio = interval_text(answer.ratio)
    if not answer.ratio.known:
        return (
            "%s, the next, %s, %s times as much; from one start each, so how "
            "sure that is nobody can tell (--profile standard)."
            % (words, second.server, ratio)
        )
    if answer.verdict == comparison.SAME:
        return "%s, and %s the same (%s times)." % (
            words,
            second.server,
            ratio,
        )
    if answer.verdict == comparison.FASTER:
        return "%s; the next, %s, %s times as much (p = %.2g)." % (
            words,
            second.server,
            ratio,
            answer.p,
        )
    return "%s; whether %s (%s times as much) is worse cannot be told." % (
        words,
        second.server,
        ratio,
    )
