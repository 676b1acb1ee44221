"""The pictures of a report as data: traces and a layout (drawn by _svg.py).

Colours stand for servers, marks and dashes for interpreters, everywhere
alike. What depends on light or dark is left to the page's style.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wsgibench.stats import histogram
from wsgibench.stats.answers import Entry
from wsgibench.stats.bootstrap import Interval
from wsgibench.stats.columns import three

Figure = dict[str, Any]

#: Okabe and Ito's palette (2008), told apart by the colour-blind too; the
#: black of it is for the page's own text.
COLOURS = (
    *("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"),
    *("#8C6D31", "#7B4173", "#637939", "#843C39"),
)
SYMBOLS = ("circle", "diamond", "square", "triangle-up", "x", "star")
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")


class Style:
    """Which colour and mark who has."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self.servers = sorted({one.server for one in entries})
        self.pythons = sorted({one.python for one in entries})

    def colour(self, server: str) -> str:
        return COLOURS[self.servers.index(server) % len(COLOURS)]

    def symbol(self, python: str) -> str:
        return SYMBOLS[self.pythons.index(python) % len(SYMBOLS)]

    def dash(self, python: str) -> str:
        return DASHES[self.pythons.index(python) % len(DASHES)]

    def line(self, one: Entry) -> dict[str, Any]:
        return {
            "color": self.colour(one.server),
            "dash": self.dash(one.python),
        }


def axis(title: str, **more: Any) -> dict[str, Any]:
    return {"title": {"text": title}, "automargin": True, **more}


def _title(one: Entry) -> str:
    return "%s, %s" % (one.server, one.python)


def bars(
    group: Sequence[Entry],
    style: Style,
    pick: Callable[[Entry], Interval | None],
    text: Callable[[Entry], str],
    title: str,
) -> Figure:
    """A dot with its interval for each server, one colour a server; `text`
    says its number."""
    traces = []
    for python in style.pythons:
        found = [
            (one, value)
            for one in group
            for value in [pick(one)]
            if one.python == python and value is not None
        ]
        if not found:
            continue
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "name": python,
                "x": [value.estimate for _, value in found],
                "y": [one.server for one, _ in found],
                "error_x": _errors([value for _, value in found]),
                "tips": [text(one) for one, _ in found],
                "marker": {
                    "size": 11,
                    "symbol": style.symbol(python),
                    "color": [style.colour(one.server) for one, _ in found],
                },
            }
        )
    names = list(dict.fromkeys(one.server for one in reversed(group)))
    return {
        "data": traces,
        "layout": {
            "xaxis": axis(title, type="log"),
            "yaxis": axis(
                "", categoryorder="array", categoryarray=names, type="category"
            ),
            "height": 150 + 34 * len(names),
        },
    }


def _errors(values: Sequence[Interval]) -> dict[str, Any]:
    known = [value.known for value in values]
    return {
        "type": "data",
        "symmetric": False,
        "thickness": 1.5,
        "array": [
            value.high - value.estimate if sure else 0
            for value, sure in zip(values, known)
        ],
        "arrayminus": [
            value.estimate - value.low if sure else 0
            for value, sure in zip(values, known)
        ],
    }


def memory(group: Sequence[Entry], style: Style) -> Figure:
    traces = [
        {
            "type": "bar",
            "orientation": "h",
            "name": python,
            "x": [one.row["rss"] / 2**20 for one in found],
            "y": [one.server for one in found],
            "marker": {
                "color": [style.colour(one.server) for one in found],
            },
            "weak": index % 2 == 1,
        }
        for index, python in enumerate(style.pythons)
        for found in [
            [o for o in group if o.python == python and "rss" in o.row]
        ]
        if found
    ]
    return {
        "data": traces,
        "layout": {
            "barmode": "group",
            "xaxis": axis("resident memory of all processes, MiB"),
            "yaxis": axis("", type="category"),
            "height": 150 + 44 * len({one.server for one in group}),
        },
    }


def stacked(
    names: Sequence[str],
    parts: Sequence[tuple[str, list[str] | str, bool, list[float]]],
    title: str,
) -> Figure:
    """Bars of (name of the part, colour or colours, weak, values), one on
    the other, with their sums behind them; the first name is on top."""
    sums = [sum(column) for column in zip(*(part[3] for part in parts))]
    traces = [
        {
            "type": "bar",
            "orientation": "h",
            "name": name,
            "x": values,
            "y": list(names),
            "marker": {"color": colour},
            "weak": weak,
        }
        for name, colour, weak, values in parts
    ]
    traces[-1]["text"] = [three(value) for value in sums]
    return {
        "data": traces,
        "layout": {
            "barmode": "stack",
            "xaxis": axis(title),
            "yaxis": axis(
                "",
                type="category",
                categoryarray=list(reversed(names)),
            ),
            "height": 150 + 34 * len(names),
        },
    }


def spectrum(group: Sequence[Entry], style: Style) -> Figure:
    traces = []
    for one in group:
        points = histogram.spectrum(one.times)
        if points:
            traces.append(
                {
                    "type": "scatter",
                    "mode": "lines",
                    "name": _title(one),
                    "x": [point[0] for point in points],
                    "y": [point[1] / 1e6 for point in points],
                    "line": style.line(one),
                }
            )
    ticks = [1, 2, 10, 100, 1000, 10_000, 100_000, 1_000_000]
    names = ["0", "50", "90", "99", "99.9", "99.99", "99.999", "99.9999"]
    return {
        "data": traces,
        "layout": {
            "xaxis": axis(
                "per cent of the requests that were faster",
                type="log",
                tickvals=ticks,
                ticktext=names,
            ),
            "yaxis": axis("time, ms", type="log"),
            "height": 420,
        },
    }


def _course(one: Entry) -> tuple[list[float], list[float]]:
    """CPU per request, the median over the starts, window by window."""
    costs: dict[float, list[float]] = {}
    for course in one.courses:
        for second, cost in zip(course.seconds, course.costs):
            costs.setdefault(round(float(second), 2), []).append(float(cost))
    # A window in which most starts answered nothing has no median.
    kept = sorted(
        second
        for second, found in costs.items()
        if 2 * len(found) > len(one.courses)
    )
    return kept, [float("%.4g" % np.median(costs[s])) for s in kept]


def warmups(group: Sequence[Entry], style: Style) -> Figure:
    """CPython on the left, PyPy and others on the right, one scale."""
    kinds = sorted({one.python.split()[0] for one in group if one.courses})
    traces: list[dict[str, Any]] = []
    layout: dict[str, Any] = {"height": 440, "annotations": []}
    for number, kind in enumerate(kinds):
        suffix = "" if number == 0 else str(number + 1)
        width = 1 / len(kinds)
        gap = 0.03 if len(kinds) > 1 else 0
        domain = [number * width + gap, (number + 1) * width - gap]
        layout["xaxis" + suffix] = axis(
            "seconds", domain=domain, anchor="y" + suffix
        )
        layout["yaxis" + suffix] = axis(
            "" if number else "server CPU, us per request",
            type="log",
            anchor="x" + suffix,
            **({"matches": "y"} if number else {}),
        )
        layout["annotations"].append(
            {
                "text": kind,
                "x": sum(domain) / 2,
                "y": 1.06,
                "xref": "paper",
                "yref": "paper",
                "showarrow": False,
            }
        )
        for one in group:
            if not one.courses or one.python.split()[0] != kind:
                continue
            x, y = _course(one)
            traces.append(
                {
                    "type": "scatter",
                    "mode": "lines",
                    "name": _title(one),
                    "x": x,
                    "y": y,
                    "line": style.line(one),
                    "xaxis": "x" + suffix,
                    "yaxis": "y" + suffix,
                }
            )
    return {"data": traces, "layout": layout}


def lines(
    groups: dict[str, list[Entry]],
    style: Style,
    x: Callable[[Entry], float],
    y: Callable[[Entry], float | None],
    titles: tuple[str, str],
    x_type: str = "log",
) -> Figure:
    """One line for each server on each interpreter, over its cells."""
    traces = []
    for name, found in groups.items():
        points = sorted(
            (x(one), value)
            for one in found
            for value in [y(one)]
            if value is not None
        )
        if points:
            traces.append(
                {
                    "type": "scatter",
                    "mode": "lines+markers",
                    "name": name,
                    "x": [point[0] for point in points],
                    "y": [point[1] for point in points],
                    "line": style.line(found[0]),
                    "marker": {"symbol": style.symbol(found[0].python)},
                }
            )
    return {
        "data": traces,
        "layout": {
            "xaxis": axis(titles[0], type=x_type),
            "yaxis": axis(titles[1], type="log"),
            "height": 420,
        },
    }
