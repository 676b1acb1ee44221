"""Courses over many records, as a table and as a page."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import Any

from wsgibench.reports import _terminal
from wsgibench.reports._terminal import NUMBER, TEXT
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
    several = len({one.machine for one in courses}) > 1
    rows = [
        [
            one.cell,
            NUMBERS[one.number],
            str(len(one.points)),
            three(one.points[0].value),
            three(one.points[-1].value),
            changes_text(one),
            *([one.machine] if several else []),
        ]
        for one in courses
    ]
    columns = [
        *_terminal.columns(TEXT, "cell", "number"),
        *_terminal.columns(NUMBER, "records", "first", "last"),
        *_terminal.columns(TEXT, "changes"),
        *(_terminal.columns(TEXT, "machine") if several else []),
    ]
    return _terminal.table(columns, rows, width)


#: Of the course, and of the lines that mark its changes.
COLOUR, CHANGE = "#0072B2", "#D55E00"


def _figure(course: Course) -> dict[str, Any]:
    """Equally spaced, in the order of time; a line marks each change."""
    values = [point.value for point in course.points]
    changes = [
        {
            "type": "scatter",
            "mode": "lines",
            "name": "%s: %+.1f %%"
            % (course.points[index].version, 100 * course.change(index)),
            "x": [index + 0.5, index + 0.5],
            "y": [min(values), max(values)],
            "line": {"color": CHANGE, "dash": "dot"},
        }
        for index in course.changes
    ]
    line = {
        "type": "scatter",
        "mode": "lines+markers",
        "name": NUMBERS[course.number],
        "x": list(range(1, len(values) + 1)),
        "y": values,
        "line": {"color": COLOUR},
        "marker": {"color": COLOUR, "symbol": "circle"},
    }
    return {
        "data": [line, *changes],
        "layout": {
            "height": 320,
            "xaxis": {"title": {"text": "record"}},
            "yaxis": {"title": {"text": NUMBERS[course.number]}},
        },
    }


def _section(course: Course) -> str:
    from wsgibench.reports import _svg
    from wsgibench.reports.html import NARROW, WIDE

    figure = _figure(course)
    title = "%s: %s" % (course.cell, NUMBERS[course.number])
    marks = "".join(
        "<li>%s%s</li>" % (swatch, html.escape(name))
        for swatch, name in _svg.legend(figure)
    )
    return (
        "<section><h2>%s</h2><p>%s</p><p>%s</p><div class='plot'>"
        "<div class='wide-plot'>%s</div><div class='narrow'>%s</div>"
        "<ul class='legend'>%s</ul></div></section>"
        % (
            html.escape(title),
            html.escape(changes_text(course)),
            html.escape(course.machine),
            _svg.draw(figure, WIDE, title),
            _svg.draw(figure, NARROW, title),
            marks,
        )
    )


def page(courses: Sequence[Course]) -> str:
    from wsgibench.reports.html import PAGE

    style = (PAGE / "report.css").read_text(encoding="utf-8")
    return (
        "<!DOCTYPE html>\n<html lang='en'><head><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width, initial-scale=1'>"
        "<title>wsgibench: history</title><style>%s</style></head><body>"
        "<main><h1>The course of each number</h1>%s</main></body></html>\n"
    ) % (style, "".join(map(_section, courses)))
