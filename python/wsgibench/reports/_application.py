"""What a run of the user's own application adds to a report: which answers
differed, the routes, and whose time it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from wsgibench import runtimes
from wsgibench.load.hdr import Histogram
from wsgibench.stats import histogram, samples, split
from wsgibench.stats.answers import Entry, interval_text
from wsgibench.stats.columns import judged, three
from wsgibench.stats.samples import Windows
from wsgibench.verdicts import CPU, LATENCY

Table = tuple[list[str], list[list[str]]]
#: With the windows that its numbers are of, by start.
Measured = tuple[Entry, dict[int, Windows]]

MS = 1e6  # ns
#: An older record keeps the times of a route for the whole load only.
UNTOLD = "not kept"
#: What the end of the load finds under way is none.
NO_FAILURES = ("ok", "in_flight")


def differences(entries: Sequence[Entry]) -> Table:
    """Each once, however many starts had it."""
    found: dict[tuple[str, str, str, str], None] = {}
    for one in entries:
        for start in one.cell["starts"]:
            for said in start.get("answers", {}).get("differences", []):
                key = (one.server, one.python, said["request"], said["what"])
                found[key] = None
    return ["server", "python", "request", "what"], list(map(list, found))


def splits(record: dict[str, Any], entries: Sequence[Entry]) -> Table:
    rows = []
    for one in entries:
        parts = split.of_cell(record, one.cell)
        if parts is None:
            continue
        rows.append(
            [
                one.server,
                one.python,
                interval_text(parts.application),
                *(
                    judged(one.row, CPU, interval_text(value))
                    if parts.told
                    else "cannot tell"
                    for value in (parts.server, parts.kernel)
                ),
                interval_text(parts.waiting),
            ]
        )
    heads = ["application us", "server us", "kernel us", "waiting us"]
    return ["server", "python", *heads], rows


@dataclass(frozen=True)
class Route:
    """Of the mix: the application alone, then every server's times under
    load, the starts that its row is of together."""

    name: str
    share: str
    alone: str
    table: Table


def routes(record: dict[str, Any], entries: Sequence[Entry]) -> list[Route]:
    """Those that are asked most come first."""
    shares: dict[str, float] = record["application"]["routes"]
    alone = {
        one.python: split.routes(record, one.cell["python"]) for one in entries
    }
    measured = [(one, samples.measured(one.cell)) for one in entries]
    return [
        Route(
            name,
            "%.0f %%" % (100 * shares[name]),
            ", ".join(
                "%s %s us" % (python, three(found[name]))
                for python, found in alone.items()
                if name in found
            ),
            _route_table(measured, name),
        )
        for name in sorted(shares, key=lambda name: -shares[name])
    ]


def _route_table(measured: Sequence[Measured], name: str) -> Table:
    """Times of the requests that the row's are of; failures, as the row's,
    of every start."""
    rows = []
    for one, kept in measured:
        failed = _failed(one, name)
        if failed is None:
            continue
        times = histogram.of_route(one.cell, kept, name)
        rows.append(
            [
                one.server,
                one.python,
                _ms(one, times, 0.5),
                _ms(one, times, 0.99),
                UNTOLD if times is None else str(times.count),
                str(failed),
            ]
        )
    heads = ["server", "python", "p50 ms", "p99 ms", "requests", "failed"]
    return heads, rows


def _ms(one: Entry, times: Histogram | None, q: float) -> str:
    if times is None:
        return UNTOLD
    value = histogram.quantile(times, q)
    return (
        "-" if value is None else judged(one.row, LATENCY, three(value / MS))
    )


def _failed(one: Entry, route: str) -> int | None:
    """None: it was not asked for."""
    told = [
        start["load"]["routes"][route]["classes"]
        for start in one.cell["starts"]
        if route in start["load"].get("routes", {})
    ]
    if not told:
        return None
    return sum(
        sum(n for name, n in classes.items() if name not in NO_FAILURES)
        for classes in told
    )


def how_far(record: dict[str, Any]) -> list[str]:
    """How the answers were checked, in a sentence for each interpreter."""
    found = []
    for one in record.get("baselines", []):
        python = runtimes.name(one["python"])
        checked = one.get("checked_under_load")
        if checked:
            found.append(
                "%s: before the load all answers were compared, %.0f %% of "
                "their bytes (the rest changes by itself); under load %.0f %% "
                "of the requests were checked byte by byte, %.0f %% by their "
                "length, %.0f %% by their status"
                % (
                    python,
                    100 * one["stable"],
                    100 * checked["body"],
                    100 * checked["length"],
                    100 * checked["status"],
                )
            )
        found += ["%s: %s" % (python, text) for text in one["remarks"]]
    return found
