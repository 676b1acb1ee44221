"""``python -m wsgibench compare A B``: what changed between two records."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wsgibench.stats.bootstrap import Interval
    from wsgibench.stats.comparison import Comparison

HELP = "compare two records; exit code 1 when B is slower"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("a", type=Path, metavar="A", help="the record to hold B against")
    add("b", type=Path, metavar="B", help="the one held against it")
    add(
        "--metric",
        default="server_cpu_us,server_cpu_us_quiet,goodput",
        help="comma-separated; default: %(default)s",
    )
    add(
        "--margin",
        type=float,
        help="per cent that still count as the same (default: 3; of what was "
        "counted 0.5)",
    )
    add(
        "--absolute",
        action="store_true",
        help="not relative to the null server of each run",
    )
    add(
        "--gate",
        choices=["slower", "unsure", "none"],
        default="slower",
        help="exit with 1 when a cell is slower, or also when one is unsure",
    )
    add(
        "--force",
        action="store_true",
        help="compare what should not be compared",
    )
    add("--json", type=Path, help="write the results here too")


def _metrics(text: str) -> list[str]:
    from wsgibench.errors import UsageError
    from wsgibench.harness.selection import split
    from wsgibench.stats.comparison import METRICS

    found = split(text, "metric")
    for name in found:
        if name not in METRICS:
            raise UsageError(
                "there is no metric %r; there are: %s."
                % (name, ", ".join(METRICS))
            )
    return found


def run(arguments: argparse.Namespace) -> int:
    from wsgibench import outputs
    from wsgibench.commands import _numbers
    from wsgibench.errors import UsageError
    from wsgibench.harness import record
    from wsgibench.stats import comparison, counted, machine

    metrics = _metrics(arguments.metric)
    _numbers.at_least(0, arguments, "margin")
    outputs.check(arguments.json)
    a, b = (
        record.read(path, record.TIMED, record.COUNTED)
        for path in (arguments.a, arguments.b)
    )
    if counted.is_counted(a) or counted.is_counted(b):
        return _compare_counted(arguments, a, b)
    reasons = comparison.incomparable(a, b)
    if reasons and not (arguments.force and _common(reasons)):
        raise UsageError(
            "these records cannot be compared: %s." % "; ".join(reasons)
        )
    for reason in reasons:
        print("warning: " + reason, file=sys.stderr)
    found = comparison.compare(
        a,
        b,
        metrics=metrics,
        margin=(3.0 if arguments.margin is None else arguments.margin) / 100,
        relative=not arguments.absolute,
    )
    print(_render(found, metrics))
    in_a, in_b = machine.usual(a), machine.usual(b)
    if in_a is not None and in_b is not None:
        print(
            "a fixed piece of work took the server's CPU %.0f us in A and "
            "%.0f us in B" % (in_a, in_b)
        )
    if arguments.json:
        _write(arguments.json, found)
    return _gate(found, arguments.gate)


def _compare_counted(
    arguments: argparse.Namespace, a: dict[str, Any], b: dict[str, Any]
) -> int:
    """Another machine is no hindrance; another processor may be: libraries
    choose their instructions by it."""
    import json
    from dataclasses import asdict

    from wsgibench import outputs
    from wsgibench.commands import _differences
    from wsgibench.errors import UsageError
    from wsgibench.stats import counted

    if not (counted.is_counted(a) and counted.is_counted(b)):
        raise UsageError(
            "one of these records was counted and the other timed."
        )
    margin = counted.MARGIN
    if arguments.margin is not None:
        margin = arguments.margin / 100
    found = counted.compare(a, b, margin)
    if not found:
        raise UsageError("these records have no counted cell in common.")
    cpus = [one["machine"].get("cpu") for one in (a, b)]
    if cpus[0] != cpus[1]:
        print(
            "warning: %s and %s: libraries choose instructions by it"
            % (cpus[0], cpus[1]),
            file=sys.stderr,
        )
    print(_differences.render(found))
    if arguments.json:
        results = [asdict(one) for one in found]
        text = json.dumps({"results": results}) + "\n"
        outputs.write(arguments.json, text)
    more = any(one.verdict == counted.MORE for one in found)
    return int(more and arguments.gate != "none")


def _common(reasons: list[str]) -> bool:
    """Nothing helps two records without a common cell."""
    return not any("no cell in common" in reason for reason in reasons)


def _gate(found: Comparison, gate: str) -> int:
    from wsgibench.stats.comparison import CANNOT_TELL, SLOWER

    fails = {
        "none": set(),
        "slower": {SLOWER},
        "unsure": {SLOWER, CANNOT_TELL},
    }
    return int(any(one.verdict in fails[gate] for one in found.results))


def _number(value: float, metric: str) -> str:
    if value != value:
        return "-"
    return "%.0f" % value if metric == "goodput" else "%.2f" % value


def _interval(ratio: Interval | None) -> str:
    if ratio is None:
        return "-"
    if not ratio.known:
        return "%.3f" % ratio.estimate
    return "%.3f [%.3f, %.3f]" % (ratio.estimate, ratio.low, ratio.high)


TITLES = {
    "server_cpu_us": "server CPU us",
    "server_cpu_us_quiet": "CPU us, quiet",
    "goodput": "requests/s",
}


def _render(found: Comparison, metrics: list[str]) -> str:
    from wsgibench.reports import _terminal
    from wsgibench.reports._terminal import NAME, NUMBER, TEXT

    rows = [
        [
            one.cell,
            TITLES[one.metric],
            _number(one.a, one.metric),
            _number(one.b, one.metric),
            _interval(one.ratio),
            one.verdict + (one.reason and " (%s)" % one.reason),
        ]
        for one in found.results
    ]
    columns = [
        *_terminal.columns(TEXT, "cell", "metric"),
        *_terminal.columns(NUMBER, "A", "B"),
        *_terminal.columns(NAME, "speed B/A [95 %]"),
        *_terminal.columns(TEXT, "verdict"),
    ]
    lines = [_terminal.table(columns, rows, 160).rstrip(), ""]
    for metric in metrics:
        mean = found.means.get(metric)
        if mean is not None:
            lines.append(
                "%s, geometric mean of the speeds: B/A = %s: %s"
                % (TITLES[metric], _interval(mean), found.mean_verdict(metric))
            )
        agreed, known = found.agreement(metric)
        if known:
            lines.append(
                "%s: %d of %d rows (%.0f %%) agree within their intervals"
                % (TITLES[metric], agreed, known, 100 * agreed / known)
            )
    if any(one.relative for one in found.results):
        lines.append(
            "Ratios, and so B's numbers, are of each server relative to the "
            "null server of its own run; --absolute leaves that out."
        )
    lines += _not_relative(found)
    for side, names in (("A", found.only_a), ("B", found.only_b)):
        lines += ["only in %s: %s" % (side, name) for name in names]
    return "\n".join(lines)


def _not_relative(found: Comparison) -> list[str]:
    """Each reason once, with the numbers that it is of."""
    groups: dict[str, list[str]] = {}
    for one in found.results:
        if one.why_plain:
            what = "%s (%s)" % (one.cell, TITLES[one.metric])
            groups.setdefault(one.why_plain, []).append(what)
    return [
        "Not relative to null, for %s: %s" % (why, "; ".join(which))
        for why, which in groups.items()
    ]


def _write(path: Path, found: Comparison) -> None:
    import json
    from dataclasses import asdict

    from wsgibench import outputs

    results: list[dict[str, Any]] = [asdict(one) for one in found.results]
    for one in results:
        if one["ratio"] and one["ratio"]["high"] == float("inf"):
            one["ratio"].update(low=None, high=None)
    agreement = {
        metric: dict(zip(("agreed", "of"), found.agreement(metric)))
        for metric in found.margin
    }
    whole = {
        "results": results,
        "margin": found.margin,
        "agreement": agreement,
    }
    outputs.write(path, json.dumps(whole) + "\n")
