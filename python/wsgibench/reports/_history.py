"""Courses over many records, as a table and as a page."""

from __future__ import annotations

import html
import io
from collections.abc import Sequence
from typing import Any

from wsgibench.stats.columns import three
from wsgibench.stats.history import NUMBERS, Course


def changes_text(course: Course) -> str:
    """Each change with the version that brought it."""
    found = []
    for index in course.changes:
        point = course.points[index]
        found.append(
            "%+.1f %% with %s (%s)"
            % (100 * course.change(index), point.version, point.created[:10])
        )
    return "; ".join(found) or "no change"


def table(courses: Sequence[Course], width: int = 160) -> str:
    from rich.console import Console
    from rich.table import Table

    made = Table(box=None, pad_edge=False)
    for title in ("cell", "number", "records", "first", "last", "changes"):
        right = title in ("records", "first", "last")
        made.add_column(title, justify="right" if right else "left")
    for one in courses:
        made.add_row(
            one.cell,
            NUMBERS[one.number],
            str(len(one.points)),
            three(one.points[0].value),
            three(one.points[-1].value),
            changes_text(one),
        )
    out = io.StringIO()
    Console(file=out, width=width, color_system=None).print(made)
    return out.getvalue()


def _figure(course: Course) -> dict[str, Any]:
    """Equally spaced, in the order of time; a line marks each change."""
    places = list(range(1, len(course.points) + 1))
    texts = ["%s, %s" % (p.version, p.created) for p in course.points]
    changes = [
        {
            "type": "line",
            "xref": "x",
            "yref": "paper",
            "x0": index + 0.5,
            "x1": index + 0.5,
            "y0": 0,
            "y1": 1,
            "line": {"dash": "dot"},
        }
        for index in course.changes
    ]
    notes = [
        {
            "x": index + 0.5,
            "y": 1,
            "xref": "x",
            "yref": "paper",
            "text": course.points[index].version,
            "showarrow": False,
            "xanchor": "left",
        }
        for index in course.changes
    ]
    return {
        "data": [
            {
                "type": "scatter",
                "mode": "lines+markers",
                "x": places,
                "y": [point.value for point in course.points],
                "text": texts,
            }
        ],
        "layout": {
            "height": 320,
            "xaxis": {"title": {"text": "record"}, "dtick": 1},
            "yaxis": {"title": {"text": NUMBERS[course.number]}},
            "shapes": changes,
            "annotations": notes,
        },
    }


def page(courses: Sequence[Course]) -> str:
    from wsgibench.reports.html import PAGE, _json, _plotly

    parts = []
    for number, one in enumerate(courses):
        parts.append(
            "<section><h2>%s: %s</h2><p>%s</p><div id='f%d'></div></section>"
            % (
                html.escape(one.cell),
                NUMBERS[one.number],
                html.escape(changes_text(one)),
                number,
            )
        )
    figures = _json([_figure(one) for one in courses])
    style = (PAGE / "report.css").read_text(encoding="utf-8")
    return (
        "<!DOCTYPE html>\n<html lang='en'><head><meta charset='utf-8'>"
        "<title>wsgibench: history</title><style>%s</style></head><body>"
        "<main><h1>The course of each number</h1>%s</main>"
        "<script>%s</script>"
        "<script type='application/json' id='figures'>%s</script>"
        "<script>JSON.parse(document.getElementById('figures').textContent)"
        ".forEach(function (one, n) {"
        " Plotly.newPlot('f' + n, one.data, one.layout); });</script>"
        "</body></html>\n"
    ) % (style, "".join(parts), _plotly(), figures)


