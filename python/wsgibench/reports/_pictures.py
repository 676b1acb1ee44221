"""Which pictures a record gives, each with its title, words and numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from wsgibench.reports import _figures as figures
from wsgibench.reports._figures import Figure, Style
from wsgibench.stats import answers, histogram, split
from wsgibench.stats.answers import Entry
from wsgibench.stats.bootstrap import Interval
from wsgibench.stats.columns import cell, judged, three
from wsgibench.verdicts import CPU, GOODPUT, INVALID, LATENCY

#: Groups of cells with pictures of their own; the table has them all.
MOST = 12

Table = tuple[list[str], list[list[str]]]


@dataclass(frozen=True)
class Picture:
    section: str  # of the page
    title: str
    words: str
    figure: Figure
    table: Table  # the same numbers, for those who do not see it
    left_out: str = ""  # whose numbers are no measurement


def alike(
    entries: Sequence[Entry], key: Callable[[Entry], str]
) -> dict[str, list[Entry]]:
    groups: dict[str, list[Entry]] = {}
    for one in entries:
        groups.setdefault(key(one), []).append(one)
    return groups


def believed(entries: Sequence[Entry], number: str) -> tuple[list[Entry], str]:
    """Those whose number is one, and the names of the others."""
    found, names = [], []
    for one in entries:
        if one.row["verdicts"][number] == INVALID:
            names.append(_series_name(one))
        else:
            found.append(one)
    return found, "; ".join(dict.fromkeys(names))


def all_of(entries: Sequence[Entry]) -> list[Picture]:
    style = Style(entries)
    groups = alike(entries, lambda one: one.load)
    ranked = sorted(groups, key=lambda name: -len(groups[name]))[:MOST]
    chosen = {name: groups[name] for name in groups if name in ranked}
    found: list[Picture] = []
    for load, group in chosen.items():
        found += _of_group(load, group, style)
    found += _latency_against_load(entries, style)
    found += _sweeps(entries, style)
    return [one for one in found if one.figure["data"]]


def _of_group(load: str, every: list[Entry], style: Style) -> list[Picture]:
    group, left_out = believed(every, CPU)
    rated, no_rate = believed(every, GOODPUT)
    timed, no_times = believed(every, LATENCY)
    limited = any(one.row["client_limited"] for one in rated)
    lead = (
        " In some rows the client was the limit: there the CPU per request "
        "is the figure to read."
        if limited
        else ""
    )
    return [
        Picture(
            "cpu",
            load,
            "Less is better. Lines are 95 % intervals over the starts, or "
            "the range of what never settled.",
            figures.bars(
                group,
                style,
                _drawn_cpu,
                answers.cpu_text,
                "server CPU per request, us (log)",
            ),
            _interval_table(group, answers.cpu_text, "us", "%.2f"),
            left_out,
        ),
        Picture(
            "capacity",
            load,
            "More is better. Lines are 95 % intervals over the starts." + lead,
            figures.bars(
                rated,
                style,
                lambda one: one.goodput,
                answers.goodput_text,
                "requests/s (log)",
            ),
            _interval_table(rated, answers.goodput_text, "requests/s", "%.0f"),
            no_rate,
        ),
        Picture(
            "spectrum",
            load,
            "The starts of a row together, the warm-up left out; a request "
            "that was never answered counts with the time it was waited for.",
            figures.spectrum(timed, style),
            _spectrum_table(timed),
            no_times,
        ),
        Picture(
            "warmup",
            load,
            "The median of the starts in each window, from the first request "
            "on. A JIT pays first.",
            figures.warmups(group, style),
            _warmup_table(group),
            left_out,
        ),
        Picture(
            "memory",
            load,
            "The most that was seen, the median of the starts.",
            figures.memory(group, style),
            (
                ["server", "python", "MiB"],
                [
                    [one.server, one.python, "%.0f" % (one.row["rss"] / 2**20)]
                    for one in group
                    if "rss" in one.row
                ],
            ),
            left_out,
        ),
    ]


def _drawn_cpu(one: Entry) -> Interval | None:
    """With the range in place of the interval, if that is the result."""
    if one.cpu is None or "cpu_range" not in one.row:
        return one.cpu
    low, high = one.row["cpu_range"]
    middle = min(max(one.cpu.estimate, low), high)
    return replace(one.cpu, estimate=middle, low=low, high=high)


def whose_time(
    record: dict[str, Any], entries: Sequence[Entry]
) -> Picture | None:
    """Of each request's CPU, what is the application's: what no server can
    save. None without a baseline."""
    ranked, left_out = believed(entries, CPU)
    found = [
        (one, parts)
        for one in sorted(ranked, key=lambda one: one.cost)
        for parts in [split.of_cell(record, one.cell)]
        if parts is not None and parts.told
    ]
    if not found:
        return None
    style = Style(entries)
    loads = len({one.load for one, _ in found}) > 1
    names = [
        "%s, %s%s" % (one.server, one.python, ", " + one.load if loads else "")
        for one, _ in found
    ]
    colours = [style.colour(one.server) for one, _ in found]
    figure = figures.stacked(
        names,
        [
            ("application", "var(--own)", False, _part(found, "application")),
            ("server, in its colour", colours, False, _part(found, "server")),
            ("kernel, for the server", colours, True, _part(found, "kernel")),
        ],
        "CPU of a request, us",
    )
    words = "Grey is the application: no server can save that."
    return Picture(
        "whose", "Whose time is it?", words, figure, ([], []), left_out
    )


def _part(
    found: Sequence[tuple[Entry, split.Split]], name: str
) -> list[float]:
    return [max(0.0, getattr(parts, name).estimate) for _, parts in found]


def _interval_table(
    group: list[Entry],
    text: Callable[[Entry, str], str],
    unit: str,
    form: str,
) -> Table:
    return (
        ["server", "python", unit + " [95 %]", "starts"],
        [
            [
                one.server,
                one.python,
                text(one, form),
                str(one.row["starts"]),
            ]
            for one in group
            if text(one, form) != "-"
        ],
    )


def _spectrum_table(group: list[Entry]) -> Table:
    points = (0.5, 0.9, 0.99, 0.999, 0.9999)
    rows = []
    for one in group:
        values = [histogram.quantile(one.times, q) for q in points]
        rows.append(
            [one.server, one.python]
            + [
                "-" if v is None else judged(one.row, LATENCY, three(v / 1e6))
                for v in values
            ]
        )
    heads = ["p%g ms" % (100 * q) for q in points]
    return ["server", "python", *heads], rows


def _warmup_table(group: list[Entry]) -> Table:
    rows = []
    for one in group:
        if not one.courses:
            continue
        late = max(one.courses, key=lambda course: course.steady_seconds)
        rows.append(
            [
                one.server,
                one.python,
                one.row["label"],
                "%.1f" % late.steady_seconds,
                "%d" % late.steady_requests,
            ]
        )
    heads = ["server", "python", "course", "seconds until steady"]
    return [*heads, "requests until steady"], rows


def _ms(one: Entry, name: str) -> float | None:
    value = one.row.get(name)
    return None if value is None else float(value) / 1e6


def _series_name(one: Entry) -> str:
    return "%s, %s" % (one.server, one.python)


def _point_table(
    groups: dict[str, list[Entry]],
    x: Callable[[Entry], float],
    columns: dict[str, str],
) -> Table:
    """`columns`: their heads, and what of a row stands there."""
    return ["server", *columns], [
        [name, *(cell(one.row, key) for key in columns.values())]
        for name, found in groups.items()
        for one in sorted(found, key=x)
    ]


def _latency_against_load(
    entries: Sequence[Entry], style: Style
) -> list[Picture]:
    """From the open loop where there is one: its times are quoted at the
    rate that was asked for, whatever the server did."""
    entries, left_out = believed(entries, LATENCY)
    open_loop = [one for one in entries if one.row["rate"]]
    found = open_loop or [one for one in entries if one.goodput]
    words = (
        "Open loop: times from the intended send times."
        if open_loop
        else "Closed loop, one point for each number of connections: every "
        "client waits for its answer, so queues are shorter than in the "
        "open. Run with --rate for times at a given load."
    )

    def x(one: Entry) -> float:
        if open_loop:
            return float(one.row["rate"])
        return float(one.row["goodput"])

    # One line is one scenario and, where the load is not made by them, one
    # number of connections.
    keys = ["scenario", "connections"] if open_loop else ["scenario"]
    varying = [key for key in keys if len({o.row[key] for o in found}) > 1]

    def name(one: Entry) -> str:
        more = ["%s %s" % (key, one.row[key]) for key in varying]
        return ", ".join([_series_name(one), *more])

    groups = alike(found, name)
    return [
        Picture(
            "latency",
            "p99 against the load",
            words,
            figures.lines(
                groups,
                style,
                x,
                lambda one: _ms(one, "p99_ns"),
                ("requests/s", "p99, ms"),
            ),
            _point_table(
                groups,
                x,
                {
                    "requests/s": "rate" if open_loop else "goodput",
                    "p50 ms": "p50_ns",
                    "p99 ms": "p99_ns",
                },
            ),
            left_out,
        )
    ]


def _sweeps(entries: Sequence[Entry], style: Style) -> list[Picture]:
    """Scenarios that were asked with several numbers of connections."""

    def kind(one: Entry) -> str:
        row = one.row
        return "%s%s%s" % (
            row["scenario"],
            row["load_name"] and ", " + row["load_name"],
            "" if row["keepalive"] else ", no keep-alive",
        )

    found = []
    closed = [one for one in entries if not one.row["rate"]]
    for name, every in alike(closed, kind).items():
        group, left_out = believed(every, GOODPUT)
        if len({one.row["connections"] for one in group}) < 2:
            continue
        groups = alike(group, _series_name)

        def x(one: Entry) -> float:
            return float(one.row["connections"])

        def goodput(one: Entry) -> float | None:
            return one.goodput.estimate if one.goodput else None

        found.append(
            Picture(
                "sweep",
                name,
                "Points that this machine cannot reach are among the "
                "remarks, with the arithmetic.",
                figures.lines(
                    groups, style, x, goodput, ("connections", "requests/s")
                ),
                _point_table(
                    groups,
                    x,
                    {"connections": "connections", "requests/s": "goodput"},
                ),
                left_out,
            )
        )
    return found
