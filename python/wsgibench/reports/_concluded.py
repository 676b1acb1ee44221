"""What a published benchmark concluded, held against the numbers of a record.

Each conclusion is a ratio of two rows' requests/s, with the range that it says
the ratio lies in; `each` server of it, where it names several. Where a rate is
a lower bound, for the client was the limit, the requests that a second of the
servers' CPU answers decide. Where the interval of the ratio spans the bound it
cannot be told; one start has no interval, and its conclusion says so.
"""

from __future__ import annotations

import math
from typing import Any

from wsgibench.stats import noise
from wsgibench.stats.bootstrap import Interval
from wsgibench.stats.columns import three
from wsgibench.verdicts import CPU, GOODPUT, INVALID

Row = dict[str, Any]

HOLDS, FAILS, UNKNOWN = "still holds", "holds no longer", "cannot be told"


def lines(record: dict[str, Any], rows: dict[Any, Row]) -> list[str]:
    """A sentence for each conclusion about what was asked; `rows` as
    reports/suite.py collects them."""
    found = []
    for one in record["suite"].get("concluded", []):
        names = [
            name
            for name in one.get("each", [""])
            if all(_of(side, rows) for side in _sides(one, name))
        ]
        if names:
            found.append(_line(one, names, record["suite"], rows))
    return found


def _sides(one: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """Both, with what the conclusion says for the two."""
    both = {key: one[key] for key in ("load", "scenario")}
    return [
        {**both, "server": name, **one[which]} for which in ("first", "second")
    ]


def _of(side: dict[str, Any], rows: dict[Any, Row]) -> list[Row]:
    wanted = (side["scenario"], side["server"], side["load"])
    return [
        row
        for key, row in rows.items()
        if key[:3] == wanted and key[3] == side.get("connections", key[3])
    ]


def _line(
    one: dict[str, Any],
    names: list[str],
    suite: dict[str, Any],
    rows: dict[Any, Row],
) -> str:
    found = [_compare(one, name, suite, rows) for name in names]
    outcomes = [outcome for outcome, _ in found]
    known = [outcome for outcome in outcomes if outcome != UNKNOWN]
    if not known:
        outcome = UNKNOWN
    elif len(set(known)) == 1:
        outcome = known[0]
    else:
        outcome = "still holds for %d of %d" % (known.count(HOLDS), len(known))
    details = [
        text if text.startswith(name) else "%s %s" % (name, text)
        for name, (_, text) in zip(names, found)
    ]
    return '"%s" %s: %s.' % (one["text"], outcome, "; ".join(details))


def _compare(
    one: dict[str, Any],
    name: str,
    suite: dict[str, Any],
    rows: dict[Any, Row],
) -> tuple[str, str]:
    sides = _sides(one, name)
    values, cells = [], []
    for side in sides:
        found = _row(side, rows)
        if isinstance(found, str):
            return UNKNOWN, found
        values.append(found[0])
        cells.append(found[1])
    first, second = (row["goodput"] for row in values)
    ratio = _ratio(first / second, cells[0], cells[1], "goodput")
    bounds = [row["client_limited"] for row in values]
    outcome = _outcome(one, ratio, bounds)
    text = "%s%s and %s%s requests/s, %s" % (
        ">=" * bounds[0],
        three(first),
        ">=" * bounds[1],
        three(second),
        _times(ratio),
    )
    costs = [row[CPU] for row in values if row["verdicts"][CPU] != INVALID]
    if outcome == UNKNOWN and any(bounds) and len(costs) == 2 and all(costs):
        ratio = _ratio(costs[1] / costs[0], cells[1], cells[0], CPU)
        outcome = _outcome(one, ratio, [False, False])
        text += "; by the server CPU of a request, %s and %s us, %s" % (
            *map(three, costs),
            _times(ratio),
        )
    if not ratio.known:
        text += ", from one start"
    theirs = [_published(side, suite) for side in sides]
    if all(theirs):
        text += " (published: %s and %s, %s times)" % (
            three(theirs[0]),
            three(theirs[1]),
            three(theirs[0] / theirs[1]),
        )
    return outcome, text


def _ratio(estimate: float, above: Any, below: Any, metric: str) -> Interval:
    found = noise.paired(above, below, metric)
    return found or Interval(estimate, 0.0, math.inf, 1.0, 0)


def _times(ratio: Interval) -> str:
    if not ratio.known:
        return "%s times" % three(ratio.estimate)
    return "%s (%s..%s) times" % (
        three(ratio.estimate),
        three(ratio.low),
        three(ratio.high),
    )


def _outcome(one: dict[str, Any], ratio: Interval, bounds: list[bool]) -> str:
    """`bounds`: whether the rate of the first, and of the second, may be
    higher than measured."""
    ends = [ratio.low, ratio.high] if ratio.known else [ratio.estimate]
    found = {_of_ratio(one, end, bounds) for end in ends}
    return found.pop() if len(found) == 1 else UNKNOWN


def _of_ratio(one: dict[str, Any], ratio: float, bounds: list[bool]) -> str:
    low = ratio < one.get("at_least", ratio)
    high = ratio > one.get("at_most", ratio)
    if (bounds[0] and (low or ("at_most" in one and not high))) or (
        bounds[1] and (high or ("at_least" in one and not low))
    ):
        return UNKNOWN
    return FAILS if low or high else HOLDS


def _row(side: dict[str, Any], rows: dict[Any, Row]) -> Any:
    """The row that has a number, and its cell; else a text: why none has."""
    why = ""
    for row in _of(side, rows):
        why = row["why"]
        for python, ours in row["ours"].items():
            if not python.startswith(side.get("python", "")):
                continue
            if ours.get("goodput") and ours["verdicts"][GOODPUT] != INVALID:
                return ours, row["cells"][python]
            why = ", ".join(
                doubt["code"]
                for doubt in ours["doubts"]
                if doubt["level"] == INVALID
            )
    return "%s on %s has no number%s" % (
        side["server"],
        side["scenario"],
        " (%s)" % why.rstrip(".") if why else "",
    )


def _published(side: dict[str, Any], suite: dict[str, Any]) -> float:
    """0: it printed none."""
    if "connections" in side:
        return 0.0
    for number in suite.get("published", []):
        if all(
            number[key] == side[key] for key in ("scenario", "server", "load")
        ) and number["python"].startswith(side.get("python", "")):
            return float(number["value"])
    return 0.0
