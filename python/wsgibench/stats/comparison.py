"""Two records, cell by cell: faster, slower, the same, or cannot tell.

Where both runs measured ``null``, each cell is first held against the null
server of its own run, block by block: what the machine did in the meantime
falls out. Where null tells nothing of the machine (references.py) the plain
numbers are compared.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from wsgibench.stats import (
    discovery,
    joint,
    machine,
    noise,
    pilot,
    ratios,
    references,
    samples,
    summary,
    waiting,
)
from wsgibench.stats.bootstrap import Interval
from wsgibench.stats.references import Reference
from wsgibench.stats.samples import Series
from wsgibench.stats.summary import CEILING

FASTER, SLOWER, SAME = "faster", "slower", "same"
CANNOT_TELL = "cannot tell"

#: Metrics, and whether more of it is better.
METRICS = {
    "server_cpu_us": False,
    "server_cpu_us_quiet": False,
    "goodput": True,
}

Record = dict[str, Any]
Cell = dict[str, Any]
Row = dict[str, Any]


@dataclass(frozen=True)
class Result:
    cell: str
    metric: str
    a: float  # as in tables
    b: float  # a times the ratio that was tested: B beside A
    b_own: float  # as in tables: what the machine did in between is in it
    ratio: Interval | None  # speed of B / speed of A
    p: float  # adjusted for all the comparisons made
    verdict: str
    reason: str
    relative: bool  # each to the null server of its own run
    why_plain: str = ""  # if null was measured and it is not relative


@dataclass(frozen=True)
class Comparison:
    results: list[Result]
    margin: dict[str, float]  # what counts as the same, by metric
    #: By metric: the geometric mean of the ratios of all servers that were
    #: measured, null left out; none without one.
    means: dict[str, Interval]
    only_a: list[str]
    only_b: list[str]

    def agreement(self, metric: str) -> tuple[int, int]:
        """(rows that are as before, rows with an interval): 1 lies in the
        interval of the ratio, or all of it within the margin. Of a machine
        and servers that did not change, 95 % of the rows are."""
        known = [
            one
            for one in self.results
            if one.metric == metric
            and one.ratio is not None
            and one.ratio.known
        ]
        agreed = [
            one
            for one in known
            if one.verdict == SAME
            or (
                one.verdict == CANNOT_TELL
                and one.ratio is not None
                and one.ratio.low <= 1 <= one.ratio.high
            )
        ]
        return len(agreed), len(known)

    def mean_verdict(self, metric: str) -> str:
        """In words: what the mean says, by the rule of single cells."""
        mean = self.means.get(metric)
        if mean is None:
            return "nothing was compared"
        verdict, reason = decide(mean, mean.p, self.margin[metric])
        return verdict + (reason and " (%s)" % reason)


def incomparable(a: Record, b: Record) -> list[str]:
    """Sentences: why these two records say nothing of each other."""
    found = machine.differences(a, b)
    keys = [set(references.by_identity(one)) for one in (a, b)]
    if not keys[0] & keys[1]:
        found.append(
            "they have no cell in common: %s; %s" % (_shape(a), _shape(b))
        )
    return found


def _shape(record: Record) -> str:
    names = [cell["name"] for cell in record["cells"]]
    if not names:
        return "one has none"
    more = ", and %d more" % (len(names) - 2) if len(names) > 2 else ""
    return " and ".join(names[:2]) + more


@dataclass(frozen=True)
class _Held:
    """One number of a cell in one run by its blocks, and null's."""

    own: dict[int, Series]
    null: dict[int, Series] | None

    @property
    def sides(self) -> tuple[list[Series], list[Series]]:
        """Of the blocks that both have."""
        null = self.own if self.null is None else self.null
        blocks = sorted(set(self.own) & set(null))
        return [self.own[n] for n in blocks], [null[n] for n in blocks]

    @property
    def logs(self) -> joint.Logs:
        """Of the values by block, relative to null if it is there; of 0
        there is none."""
        values = {block: one.value for block, one in self.own.items()}
        if self.null is not None:
            values = {
                block: value / self.null[block].value
                for block, value in values.items()
                if block in self.null and self.null[block].value > 0
            }
        return {n: math.log(one) for n, one in values.items() if one > 0}


def _of_run(
    cell: Cell, reference: Reference | None, side: int, metric: str
) -> _Held:
    own = {
        block: one.series(metric)
        for block, one in samples.measured(cell).items()
    }
    if reference is None:
        return _Held(own, None)
    return _Held(own, reference.series(side, metric))


@dataclass(frozen=True)
class _Draft:
    """A comparison before it is known how many there are."""

    pair: tuple[Cell, Cell]
    rows: tuple[Row, Row]
    metric: str
    reference: Reference | None
    held: tuple[_Held, _Held]  # A's and B's
    ratio: Interval | None  # speed of B / speed of A
    why_plain: str

    @property
    def relative(self) -> bool:
        return self.ratio is not None and self.held[0].null is not None

    @property
    def counts(self) -> bool:
        """In the mean: a server's number that is a measurement."""
        if self.ratio is None or self.pair[0]["server"] == CEILING:
            return False
        if not all(one.logs for one in self.held):
            return False
        bound = self.metric == "goodput" and references.limited(*self.rows)
        return not bound and not references.doubt(self.metric, *self.rows)


def _draft(
    pair: tuple[Cell, Cell],
    rows: tuple[Row, Row],
    metric: str,
    reference: Reference | None,
) -> _Draft:
    why = ""
    used = reference
    if reference is not None:
        _, why = reference.number(metric)
    if why:
        used = None
    a, b = (_of_run(pair[i], used, i, metric) for i in (0, 1))
    if used is not None and not (a.sides[0] and b.sides[0]):
        why = "null has no start in common with it"
        a, b = (_of_run(pair[i], None, i, metric) for i in (0, 1))
    ratio = _ratio(a, b)
    if ratio is not None and not METRICS[metric]:
        ratio = ratio.inverse
    return _Draft(pair, rows, metric, reference, (a, b), ratio, why)


@dataclass(frozen=True)
class _Rule:
    limits: dict[str, float]  # what counts as none, by metric
    waited: float  # and of what is waited
    relative: bool
    tests: int


def _ratio(a: _Held, b: _Held) -> Interval | None:
    """Metric of B / metric of A."""
    above, below = b.sides, a.sides
    if not above[0] or not below[0]:
        return None
    if a.null is not None:
        return ratios.relative(above, below)
    return ratios.between(above[0], below[0])


def decide(ratio: Interval, p: float, margin: float) -> tuple[str, str]:
    """(verdict, reason) for a ratio of speeds. A difference that is no larger
    than the margin is none, however sure it is."""
    if not ratio.known:
        return CANNOT_TELL, "a single start says nothing of others"
    if 1 / (1 + margin) <= ratio.low and ratio.high <= 1 + margin:
        return SAME, "within %.1f %%" % (100 * margin)
    apart = noise.spread(ratio)
    if p <= 0.05 and not ratio.low <= 1 <= ratio.high:
        if apart > margin:
            return (FASTER if ratio.low > 1 else SLOWER), ""
        return CANNOT_TELL, "%.1f %% apart, and up to %.1f %% is none" % (
            100 * apart,
            100 * margin,
        )
    return CANNOT_TELL, "%d starts are too few; about %d would do" % (
        ratio.starts,
        pilot.starts_for(ratio, margin),
    )


def _of_reference(verdict: str, reason: str) -> tuple[str, str]:
    """What the others are held against has nothing to be held against."""
    if verdict in (FASTER, SLOWER):
        return CANNOT_TELL, (
            "%s, with the machine or by itself; the others are held against it"
            % verdict
        )
    return verdict, reason


def margins(records: Sequence[Record], margin: float) -> dict[str, float]:
    """By metric: what is asked for, or the noise floor if that is more."""
    found = {}
    for metric in METRICS:
        floors = [noise.floor(record, metric) for record in records]
        seen = [noise.spread(one) for one in floors if one is not None]
        found[metric] = max([margin, *seen])
    return found


def _beside(a: float, ratio: Interval | None, metric: str) -> float:
    """B's number from A's and the ratio of their speeds."""
    if ratio is None:
        return math.nan
    return a * ratio.estimate if METRICS[metric] else a / ratio.estimate


def _value(row: dict[str, Any], metric: str) -> float:
    return float(row.get(metric, math.nan))


def _of_bounds(
    verdict: str, reason: str, rows: Sequence[dict[str, Any]]
) -> tuple[str, str]:
    """Requests/s of which some are lower bounds: only what a bound proves."""
    limited = [row["client_limited"] for row in rows]
    proves = {(True, False): SLOWER, (False, True): FASTER}
    if not any(limited) or verdict == proves.get((limited[0], limited[1])):
        return verdict, reason
    sides = " and ".join(n for n, is_so in zip("AB", limited) if is_so)
    return CANNOT_TELL, "the client was the limit of " + sides


def _of_waiting(
    told: tuple[str, str], draft: _Draft, rule: _Rule
) -> tuple[str, str]:
    """Requests/s of which noise hides what was waited: the ratio must point
    the same way, and it holds whatever else is tested."""
    ceiling = draft.pair[0]["server"] == CEILING
    if told[0] != CANNOT_TELL or draft.ratio is None or ceiling:
        return told
    if references.limited(*draft.rows):
        return told
    machines = draft.reference.machines if draft.reference else [1.0]
    waits = waiting.between(*draft.pair, machines)
    if waits is None:
        return told
    p = min(1.0, rule.tests * waits.speed.p)
    found, _ = decide(waits.speed, p, rule.waited)
    if (found, draft.ratio.estimate < 1) in ((SLOWER, True), (FASTER, False)):
        return found, waits.words
    return told


def compare(
    a: Record,
    b: Record,
    *,
    metrics: Sequence[str] = tuple(METRICS),
    margin: float = 0.03,
    relative: bool = True,
) -> Comparison:
    cells_a, cells_b = references.by_identity(a), references.by_identity(b)
    found = references.of_records(a, b) if relative else {}
    limits = margins([a, b], margin)
    drafts = []
    for key in cells_a:
        if key not in cells_b:
            continue
        pair = (cells_a[key], cells_b[key])
        rows = (summary.row(pair[0]), summary.row(pair[1]))
        for metric in metrics:
            drafts.append(_draft(pair, rows, metric, found.get(key)))
    tested = [d for d in drafts if d.ratio is not None and d.ratio.known]
    p = dict(
        zip(
            map(id, tested),
            discovery.adjusted([d.ratio.p for d in tested if d.ratio]),
        )
    )
    again = [pair for one in (a, b) for pair in noise.pairs(one)]
    waited = waiting.limit(margin, [waiting.between(*pair) for pair in again])
    rule = _Rule(limits, waited, relative, len(tested))
    results = []
    for draft in drafts:
        adjusted = p.get(id(draft), 1.0)
        verdict, reason = _decided(draft, adjusted, rule)
        one, other = (_value(row, draft.metric) for row in draft.rows)
        results.append(
            Result(
                draft.pair[0]["name"],
                draft.metric,
                one,
                _beside(one, draft.ratio, draft.metric),
                other,
                draft.ratio,
                adjusted,
                verdict,
                reason,
                draft.relative,
                draft.why_plain,
            )
        )
    return Comparison(
        results,
        limits,
        _means(drafts),
        [cells_a[k]["name"] for k in cells_a if k not in cells_b],
        [cells_b[k]["name"] for k in cells_b if k not in cells_a],
    )


def _means(drafts: Sequence[_Draft]) -> dict[str, Interval]:
    found = {}
    for metric, better in METRICS.items():
        rows = [d for d in drafts if d.metric == metric and d.counts]
        # A row that is not relative to null, or has a single start, does
        # not make the others' mean so.
        rows = [d for d in rows if d.relative] or rows
        rows = [d for d in rows if d.ratio and d.ratio.known] or rows
        if rows:
            a, b = ([d.held[side].logs for d in rows] for side in (0, 1))
            found[metric] = joint.mean(*((b, a) if better else (a, b)))
    return found


def _decided(draft: _Draft, p: float, rule: _Rule) -> tuple[str, str]:
    ratio, rows = draft.ratio, draft.rows
    doubt = references.doubt(draft.metric, *rows)
    if ratio is None or doubt:
        return CANNOT_TELL, doubt or "nothing was measured"
    told = decide(ratio, p, rule.limits[draft.metric])
    if rule.relative and draft.pair[0]["server"] == CEILING:
        told = _of_reference(*told)
    if draft.metric != "goodput":
        return told
    return _of_waiting(_of_bounds(*told, rows), draft, rule)
