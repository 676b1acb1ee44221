"""Two records, cell by cell: faster, slower, the same, or cannot tell.

Where both runs measured ``null``, each cell is first held against the null
server of its own run, block by block: what the machine did in the meantime
falls out. Otherwise the plain numbers are compared.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from wsgibench.stats import (
    discovery,
    machine,
    noise,
    pilot,
    ratios,
    samples,
    summary,
    waiting,
)
from wsgibench.stats.bootstrap import Interval
from wsgibench.stats.samples import Series
from wsgibench.stats.summary import CEILING
from wsgibench.verdicts import CPU, GOODPUT, INVALID

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


@dataclass(frozen=True)
class Comparison:
    results: list[Result]
    margin: dict[str, float]  # what counts as the same, by metric
    only_a: list[str]
    only_b: list[str]

    def mean(self, metric: str) -> Interval | None:
        """The geometric mean of the ratios. None without a ratio."""
        found = [
            one.ratio
            for one in self.results
            if one.metric == metric
            and one.ratio is not None
            and one.verdict != CANNOT_TELL
        ] or [
            one.ratio
            for one in self.results
            if one.metric == metric and one.ratio is not None
        ]
        return _mean(found) if found else None

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
        mean = self.mean(metric)
        if mean is None:
            return "nothing was compared"
        verdict, reason = decide(mean, mean.p, self.margin[metric])
        return verdict + (reason and " (%s)" % reason)


def _mean(ratios: Sequence[Interval]) -> Interval:
    """Of ratios that are independent of each other: the distances of their
    limits add up by their squares."""
    count = len(ratios)
    estimate = sum(math.log(one.estimate) for one in ratios) / count
    starts = min(one.starts for one in ratios)
    if not all(one.known and one.low > 0 for one in ratios):
        return Interval(math.exp(estimate), 0.0, math.inf, 1.0, starts)
    down = math.hypot(*(math.log(r.estimate / r.low) for r in ratios)) / count
    up = math.hypot(*(math.log(r.high / r.estimate) for r in ratios)) / count
    error = (down if estimate > 0 else up) / 1.96
    z = abs(estimate) / max(error, 1e-12)
    return Interval(
        math.exp(estimate),
        math.exp(estimate - down),
        math.exp(estimate + up),
        math.erfc(z / math.sqrt(2)),
        starts,
    )


def incomparable(a: Record, b: Record) -> list[str]:
    """Sentences: why these two records say nothing of each other."""
    found = machine.differences(a, b)
    keys = [set(_by_identity(one)) for one in (a, b)]
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


def _by_identity(record: Record) -> dict[str, Cell]:
    return {
        noise.identity(cell): cell
        for cell in record["cells"]
        if not cell.get("aa")
    }


def _nulls(record: Record) -> dict[str, Cell]:
    """Identity of any cell -> the null cell it can be held against."""
    cells = _by_identity(record)
    found = {}
    for key, cell in cells.items():
        ceiling = noise.identity({**cell, "server": CEILING})
        if cell["server"] != CEILING and ceiling in cells:
            found[key] = cells[ceiling]
    return found


def _against(
    cell: Cell, null: Cell, metric: str
) -> tuple[list[Series], list[Series]]:
    own, base = samples.measured(cell), samples.measured(null)
    blocks = sorted(set(own) & set(base))
    return (
        [own[block].series(metric) for block in blocks],
        [base[block].series(metric) for block in blocks],
    )


def _ratio(
    a: Cell, b: Cell, nulls: tuple[Cell, Cell] | None, metric: str
) -> tuple[Interval | None, bool]:
    """(metric of B / metric of A, whether relative to null)."""
    if nulls is not None:
        sides = (
            _against(b, nulls[1], metric),
            _against(a, nulls[0], metric),
        )
        if all(own for own, _ in sides):
            return ratios.relative(*sides), True
    above, below = samples.of_cell(b, metric), samples.of_cell(a, metric)
    if not above or not below:
        return None, False
    return ratios.between(above, below), False


def decide(ratio: Interval, p: float, margin: float) -> tuple[str, str]:
    """(verdict, reason) for a ratio of speeds."""
    if not ratio.known:
        return CANNOT_TELL, "a single start says nothing of others"
    if 1 / (1 + margin) <= ratio.low and ratio.high <= 1 + margin:
        return SAME, "within %.1f %%" % (100 * margin)
    if p <= 0.05 and ratio.low > 1:
        return FASTER, ""
    if p <= 0.05 and ratio.high < 1:
        return SLOWER, ""
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


#: Which number's verdict a metric falls under.
NUMBER_OF = {"server_cpu_us": CPU, "server_cpu_us_quiet": CPU}


def _doubt(metric: str, *rows: dict[str, Any]) -> str:
    number = NUMBER_OF.get(metric, GOODPUT)
    for name, row in zip("AB", rows):
        if row["verdicts"][number] == INVALID:
            against = [o for o in row["doubts"] if number in o["numbers"]]
            reasons = "; ".join(one["what"] for one in against)
            return "%s is INVALID: %s" % (name, reasons)
    return ""


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
    told: tuple[str, str],
    pair: tuple[Cell, Cell],
    rows: Sequence[dict[str, Any]],
    ratio: Interval,
    margin: float,
    tests: int,
) -> tuple[str, str]:
    """Requests/s of which noise hides what was waited: the ratio must point
    the same way, and it holds whatever else of `tests` is tried."""
    limited = any(row["client_limited"] for row in rows)
    if told[0] != CANNOT_TELL or limited or pair[0]["server"] == CEILING:
        return told
    waits = waiting.between(*pair)
    if waits is None:
        return told
    found, _ = decide(waits.speed, min(1.0, tests * waits.speed.p), margin)
    if (found, ratio.estimate < 1) in ((SLOWER, True), (FASTER, False)):
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
    cells_a, cells_b = _by_identity(a), _by_identity(b)
    nulls_a = _nulls(a) if relative else {}
    nulls_b = _nulls(b) if relative else {}
    limits = margins([a, b], margin)
    drafts = []
    for key in cells_a:
        if key not in cells_b:
            continue
        pair = (cells_a[key], cells_b[key])
        rows = [summary.row(cell) for cell in pair]
        both = key in nulls_a and key in nulls_b
        nulls = (nulls_a[key], nulls_b[key]) if both else None
        for metric in metrics:
            found, used = _ratio(*pair, nulls, metric)
            if found is not None and not METRICS[metric]:
                found = found.inverse
            drafts.append((pair, rows, metric, found, used))
    tested = [d for d in drafts if d[3] is not None and d[3].known]
    p = dict(
        zip(
            map(id, tested),
            discovery.adjusted([d[3].p for d in tested if d[3]]),
        )
    )
    results = []
    for draft in drafts:
        pair, rows, metric, found, used = draft
        adjusted = p.get(id(draft), 1.0)
        doubt = _doubt(metric, *rows)
        if found is None:
            verdict, reason = CANNOT_TELL, doubt or "nothing was measured"
        elif doubt:
            verdict, reason = CANNOT_TELL, doubt
        else:
            verdict, reason = decide(found, adjusted, limits[metric])
            if relative and pair[0]["server"] == CEILING:
                verdict, reason = _of_reference(verdict, reason)
            if metric == "goodput":
                verdict, reason = _of_waiting(
                    _of_bounds(verdict, reason, rows),
                    pair,
                    rows,
                    found,
                    margin,
                    len(tested),
                )
        results.append(
            Result(
                pair[0]["name"],
                metric,
                _value(rows[0], metric),
                _beside(_value(rows[0], metric), found, metric),
                _value(rows[1], metric),
                found,
                adjusted,
                verdict,
                reason,
                used,
            )
        )
    return Comparison(
        results,
        limits,
        [cells_a[k]["name"] for k in cells_a if k not in cells_b],
        [cells_b[k]["name"] for k in cells_b if k not in cells_a],
    )
