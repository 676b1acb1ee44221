"""The pages of `capacity` and `size`: the same words and numbers as in the
terminal, with a picture of what was tried."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from wsgibench.reports import _figures as figures
from wsgibench.reports import capacity, html, size
from wsgibench.reports._pictures import Picture, Table
from wsgibench.stats import cost
from wsgibench.stats.columns import three

KINDS = ("capacity", "size")


@dataclass(frozen=True)
class Page:
    which: str  # the answer
    said: list[str]
    tiles: list[tuple[str, str, str]]
    commands: list[tuple[str, str]]
    table: Table
    caption: str
    pictures: list[Picture]


def render(record: dict[str, Any]) -> str:
    made = _capacity(record) if record["kind"] == "capacity" else _size(record)
    template = html.environment().get_template("search.html")
    text: str = template.render(
        record=record,
        title=_title(record),
        page=made,
        pictures=[(one, html.drawn(one, one.title)) for one in made.pictures],
        failures=[*record["failures"], *record.get("skipped", [])],
        machine={key: str(v) for key, v in record["machine"].items()},
        command=html.command_of(record),
        style=html.style(),
    )
    return text


def _title(record: dict[str, Any]) -> str:
    found = record.get("application", {}).get("target")
    names = dict.fromkeys(cell["scenario"] for cell in record["cells"])
    return str(found or ", ".join(names) or "nothing measured")


class _Style(figures.Style):
    def __init__(self, record: dict[str, Any]) -> None:
        self.servers = sorted({cell["server"] for cell in record["cells"]})
        self.pythons = sorted({capacity.python(c) for c in record["cells"]})


def _line(
    style: _Style, cell: dict[str, Any], points: list[tuple[float, float]]
) -> dict[str, Any]:
    server, python = cell["server"], capacity.python(cell)
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "name": "%s, %s" % (server, python),
        "x": [x for x, _ in points],
        "y": [y for _, y in points],
        "line": {"color": style.colour(server), "dash": style.dash(python)},
        "marker": {"symbol": style.symbol(python)},
    }


def _limit(record: dict[str, Any], low: float, high: float) -> list[Any]:
    """The objective of p99 as a line, if there is one."""
    limit = record.get("limits_ns", {}).get("p99")
    if limit is None:
        return []
    return [
        {
            "type": "scatter",
            "mode": "lines",
            "name": "the objective: p99 of %s ms" % three(limit / 1e6),
            "x": [low, high],
            "y": [limit / 1e6] * 2,
            "line": {"color": "currentColor", "dash": "dot"},
        }
    ]


def _with_limit(
    record: dict[str, Any],
    traces: list[dict[str, Any]],
    titles: tuple[str, str],
    x_type: str,
) -> dict[str, Any]:
    every = [x for trace in traces for x in trace["x"]] or [1.0]
    limit = _limit(record, min(every), max(every)) if traces else []
    return {
        "data": [*traces, *limit],
        "layout": {
            "xaxis": figures.axis(titles[0], type=x_type),
            "yaxis": figures.axis(titles[1], type="log"),
            "height": 420,
        },
    }


# -- capacity


def _capacity(record: dict[str, Any]) -> Page:
    rows = capacity.rows(record)
    style = _Style(record)
    traces = []
    numbers = []
    for row in rows:
        trials = row.starts[-1]["trials"]
        points = [
            (one["rate"], one["p99_ns"] / 1e6)
            for one in trials
            if one["p99_ns"]
        ]
        if points:
            traces.append(_line(style, row.cell, points))
        numbers += [
            [
                row.server,
                row.python,
                three(one["rate"]),
                capacity.ms(one["p50_ns"]),
                capacity.ms(one["p99_ns"]),
                "kept" if one["holds"] else "missed",
            ]
            for one in trials
        ]
    titles = ("requests/s", "p99, ms")
    figure = _with_limit(record, traces, titles, "log")
    heads = ["server", "python", "requests/s", "p50 ms", "p99 ms"]
    heads.append("objectives")
    said = [capacity.verdict(rows), *capacity.notes(rows)]
    best = rows[0] if rows else None
    return Page(
        which="%s: %s requests/s" % (best.name, best.text)
        if best and best.stands
        else "nothing was measured that could be trusted",
        said=[one for one in said if one],
        tiles=[(row.name, *row.text.partition(" ")[::2]) for row in rows],
        commands=[],
        table=(
            ["server", "python", "requests/s [95 %]", "as fast as it can"],
            [[row.server, row.python, row.text, row.closed] for row in rows],
        ),
        caption="The highest rate that keeps %s" % record["slo"],
        pictures=[
            Picture(
                "curve",
                "Times against the rate",
                "The last start of each: every rate that was tried.",
                figure,
                (heads, numbers),
            )
        ]
        if traces
        else [],
    )


# -- size


def _size(record: dict[str, Any]) -> Page:
    found = size.sized(record)
    style = _Style(record)
    traces = []
    numbers = []
    for cell in record["cells"]:
        tried = cell["size"]["tried"]
        points = sorted(
            (one["workers"] * one["threads"], one["p99_ns"] / 1e6)
            for one in tried
            if one["p99_ns"]
        )
        if points:
            traces.append(_line(style, cell, points))
        numbers += [
            [cell["server"], capacity.python(cell), *size.numbers(one)]
            for one in tried
        ]
    titles = ("workers x threads", "p99, ms")
    heads = ["server", "python", *size.HEADS]
    best = found[0] if found else None
    return Page(
        which=size.headline(best, record)
        if best
        else "nothing within the limits keeps the objectives",
        said=[
            *(size.why(cell) for cell in record["cells"]),
            *(one[2:] for one in size.disturbed(record)),
        ],
        tiles=_size_tiles(best, record) if best else [],
        commands=[
            (size.headline(cell, record), cell["size"]["found"]["command"])
            for cell in found
        ],
        table=(heads, numbers),
        caption="What was tried for %g requests/s with %s"
        % (record["rate"], record["slo"]),
        pictures=[
            Picture(
                "tried",
                "What more of them brings",
                "Each point is a number of workers and threads that was "
                "tried.",
                _with_limit(record, traces, titles, "log"),
                (heads, numbers),
            )
        ]
        if traces
        else [],
    )


def _size_tiles(
    cell: dict[str, Any], record: dict[str, Any]
) -> list[tuple[str, str, str]]:
    best, used = cell["size"]["found"], size.used(cell)
    return [
        ("workers", str(best["workers"]), ""),
        ("threads of each", str(best["threads"]), ""),
        ("p99", capacity.ms(used["p99_ns"]) + " ms", ""),
        ("of a CPU", "%.0f %%" % (100 * used["cpu_share"]), ""),
        ("memory", "%.0f MiB" % (used["rss"] / 2**20), ""),
        ("a month", cost.money(size.month(cell, record)), ""),
    ]
