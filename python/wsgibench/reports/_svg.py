"""A figure of _figures.py as SVG: no script, sharp on paper, in the colours of
the page (its CSS variables), small.

Kinds of traces: dots with intervals, lines, horizontal bars (beside each
other or stacked). Axes are linear, logarithmic or of names.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

Figure = dict[str, Any]

FONT = 12
LETTER = 6.7  # pixels, on average, of that font
DASHES = {
    "solid": "",
    "dash": "7 4",
    "dot": "2 3",
    "dashdot": "7 3 2 3",
    "longdash": "12 4",
    "longdashdot": "12 4 2 4",
}
#: Paths around 0, 0 with a radius of 5.
MARKS = {
    "circle": "M-5 0a5 5 0 1 0 10 0a5 5 0 1 0-10 0z",
    "diamond": "M0-6.5L6 0L0 6.5L-6 0z",
    "square": "M-4.6-4.6h9.2v9.2h-9.2z",
    "triangle-up": "M0-6L5.8 4.6h-11.6z",
    "x": "M-5-3l2-2l3 3l3-3l2 2l-3 3l3 3l-2 2l-3-3l-3 3l-2-2l3-3z",
    "star": "M0-6.4l1.9 4 4.4.6-3.2 3 .8 4.4L0 3.9l-3.9 2.1.8-4.4-3.2-3 "
    "4.4-.6z",
}


@dataclass(frozen=True)
class Axis:
    """From values to pixels; names stand at whole numbers."""

    low: float
    high: float
    begin: float  # pixels
    end: float
    is_log: bool = False
    names: tuple[str, ...] = ()
    ticks: tuple[tuple[float, str], ...] = ()

    def at(self, value: float | str) -> float:
        number = (
            float(self.names.index(str(value))) if self.names else float(value)
        )
        low, high = self.low, self.high
        if self.is_log:
            number = math.log10(max(number, 1e-30))
            low, high = math.log10(low), math.log10(high)
        part = (number - low) / (high - low) if high > low else 0.5
        return self.begin + part * (self.end - self.begin)


def _number(value: float) -> str:
    """1500 as 1.5k: an axis has little room."""
    for size, letter in ((1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return "%.4g%s" % (value / size, letter)
    return "%.4g" % value


def _log_ticks(low: float, high: float, most: int) -> list[float]:
    first = math.floor(math.log10(low))
    last = math.ceil(math.log10(high))
    for steps in ((1, 2, 3, 5, 7), (1, 2, 5), (1, 3), (1,)):
        found = [
            step * 10.0**power
            for power in range(first, last + 1)
            for step in steps
            if low <= step * 10.0**power <= high
        ]
        if len(found) <= most:
            # Of a short range even steps tell more.
            return found if len(found) > 1 else _linear_ticks(low, high, most)
    return found[:: math.ceil(len(found) / most)]


def _linear_ticks(low: float, high: float, most: int) -> list[float]:
    size = (high - low) / max(1, most)
    power = 10.0 ** math.floor(math.log10(size)) if size > 0 else 1.0
    step = next(n * power for n in (1, 2, 5, 10, 20) if n * power >= size)
    first = math.ceil(low / step)
    return [step * n for n in range(first, math.floor(high / step) + 1)]


def _values(traces: Sequence[Figure], letter: str) -> list[float]:
    found: list[float] = []
    for trace in traces:
        values = trace[letter]
        found += [value for value in values if not isinstance(value, str)]
        error = trace.get("error_" + letter)
        if error:
            found += [v + e for v, e in zip(values, error["array"])]
            found += [v - e for v, e in zip(values, error["arrayminus"])]
    return found


def _sums(traces: Sequence[Figure]) -> list[float]:
    """Ends of stacked bars."""
    totals: dict[str, float] = {}
    for trace in traces:
        for name, value in zip(trace["y"], trace["x"]):
            totals[name] = totals.get(name, 0.0) + max(0.0, value)
    return [0.0, *totals.values()]


def _axis(
    asked: Figure, values: list[float], begin: float, end: float
) -> Axis:
    is_log = asked.get("type") == "log"
    if is_log:
        values = [value for value in values if value > 0]
    low, high = (min(values), max(values)) if values else (1.0, 10.0)
    if is_log:
        low, high = low / 1.12, high * 1.12
    else:
        room = 0.04 * (high - low) or 1.0
        low, high = (0.0 if low >= 0 else low - room), high + room
    if "tickvals" in asked:
        pairs = zip(asked["tickvals"], asked["ticktext"])
        ticks = [(float(v), t) for v, t in pairs if low <= v <= high]
    else:
        most = max(2, int(abs(end - begin) / 62))
        make = _log_ticks if is_log else _linear_ticks
        ticks = [(v, _number(v)) for v in make(low, high, most)]
    return Axis(low, high, begin, end, is_log, (), tuple(ticks))


def _names(asked: Figure, traces: Sequence[Figure]) -> tuple[str, ...]:
    if "categoryarray" in asked:
        return tuple(asked["categoryarray"])
    every = [name for trace in traces for name in trace["y"]]
    return tuple(dict.fromkeys(reversed(every)))


def _text(
    x: float, y: float, text: str, anchor: str = "middle", more: str = ""
) -> str:
    return '<text x="%.1f" y="%.1f" text-anchor="%s"%s>%s</text>' % (
        x,
        y,
        anchor,
        more,
        escape(text),
    )


def _shortened(text: str, room: float) -> str:
    most = max(4, int(room / LETTER))
    return text if len(text) <= most else text[: most - 1] + "\u2026"


def _grid(x: Axis, y: Axis) -> list[str]:
    found = []
    for value, text in x.ticks:
        at = x.at(value)
        found.append(
            '<path class="grid" d="M%.1f %.1fV%.1f"/>' % (at, y.begin, y.end)
        )
        found.append(_text(at, y.begin + 16, text))
    for value, text in y.ticks:
        at = y.at(value)
        found.append(
            '<path class="grid" d="M%.1f %.1fH%.1f"/>' % (x.begin, at, x.end)
        )
        found.append(_text(x.begin - 7, at + 4, text, "end"))
    for name in y.names:
        at = y.at(name)
        found.append(
            '<path class="grid" d="M%.1f %.1fH%.1f"/>' % (x.begin, at, x.end)
        )
        label = _shortened(name, x.begin - 8)
        found.append(_text(x.begin - 8, at + 4, label, "end"))
    return found


def _dots(trace: Figure, x: Axis, y: Axis) -> list[str]:
    found = []
    mark = trace.get("marker", {})
    colours = mark.get("color", trace.get("line", {}).get("color", ""))
    path = MARKS[mark.get("symbol", "circle")]
    error = trace.get("error_x")
    for n, (value, name) in enumerate(zip(trace["x"], trace["y"])):
        at, height = x.at(value), y.at(name)
        colour = colours[n] if isinstance(colours, list) else colours
        if error and error["array"][n]:
            ends = (value - error["arrayminus"][n], value + error["array"][n])
            left, right = (x.at(max(x.low, end)) for end in ends)
            found.append(
                '<path stroke="%s" stroke-width="2" d="M%.1f %.1fH%.1fM%.1f '
                '%.1fv8M%.1f %.1fv8"/>'
                % (
                    *(colour, left, height, right),
                    *(left, height - 4, right, height - 4),
                )
            )
        found.append(
            '<path fill="%s" transform="translate(%.1f %.1f)" d="%s">'
            "<title>%s</title></path>"
            % (colour, at, height, path, escape(_tip_of(trace, n)))
        )
    return found


def _tip_of(trace: Figure, n: int) -> str:
    value = trace["tips"][n] if "tips" in trace else trace["x"][n]
    return _tip(trace, value, trace["y"][n])


def _tip(trace: Figure, x: Any, y: Any) -> str:
    shown = [v if isinstance(v, str) else "%.4g" % v for v in (y, x)]
    return "%s: %s" % (trace.get("name", ""), ", ".join(shown))


def _line(trace: Figure, x: Axis, y: Axis) -> list[str]:
    points = [
        "%.1f %.1f" % (x.at(a), y.at(b))
        for a, b in zip(trace["x"], trace["y"])
    ]
    line = trace["line"]
    dash = DASHES[line.get("dash", "solid")]
    found = [
        '<path fill="none" stroke="%s" stroke-width="2" '
        'stroke-linejoin="round"%s d="M%s"><title>%s</title></path>'
        % (
            line["color"],
            dash and ' stroke-dasharray="%s"' % dash,
            "L".join(points),
            escape(trace.get("name", "")),
        )
    ]
    if "markers" in trace["mode"]:
        found += _dots(trace, x, y)
    return found


def _bars(
    traces: Sequence[Figure], x: Axis, y: Axis, is_stacked: bool
) -> list[str]:
    count = 1 if is_stacked else len(traces)
    step = abs(y.end - y.begin) / max(1, len(y.names))
    thick = min(22.0, 0.72 * step / count)
    begun: dict[str, float] = {}
    found = []
    for number, trace in enumerate(traces):
        colours = trace["marker"]["color"]
        for n, (value, name) in enumerate(zip(trace["x"], trace["y"])):
            first = begun.get(name, 0.0) if is_stacked else 0.0
            begun[name] = first + max(0.0, value)
            left, right = x.at(first), x.at(first + max(0.0, value))
            top = y.at(name) - thick * count / 2
            top += 0 if is_stacked else number * thick
            colour = colours[n] if isinstance(colours, list) else colours
            weak = ' fill-opacity=".55"' if trace.get("weak") else ""
            found.append(
                '<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" '
                'fill="%s"%s><title>%s</title></rect>'
                % (
                    *(left, top, max(0.5, right - left), thick - 1),
                    *(colour, weak, escape(_tip(trace, value, name))),
                )
            )
            if "text" in trace:
                middle = top + thick / 2 + 3
                found.append(
                    _text(right + 6, middle, trace["text"][n], "start")
                )
    return found


def _panel(
    layout: Figure,
    traces: list[Figure],
    suffix: str,
    box: tuple[float, float, float, float],
    y_values: list[float],
) -> list[str]:
    """One pair of axes in (left, top, right, bottom)."""
    left, top, right, bottom = box
    asked_x = layout.get("xaxis" + suffix, {})
    asked_y = layout.get("yaxis" + suffix, {})
    is_stacked = layout.get("barmode") == "stack"
    is_bar = any(trace["type"] == "bar" for trace in traces)
    xs = _sums(traces) if is_stacked else _values(traces, "x")
    room = 44.0 if any("text" in trace for trace in traces) else 0.0
    x = _axis(asked_x, xs + ([0.0] if is_bar else []), left, right - room)
    if asked_y.get("type") == "category":
        names = _names(asked_y, traces)
        y = Axis(-0.6, len(names) - 0.4, bottom, top, names=names)
    else:
        y = _axis(asked_y, y_values, bottom, top)
    parts = _grid(x, y)
    title = asked_x.get("title", {}).get("text", "")
    parts.append(_text((left + right) / 2, bottom + 36, title))
    if is_bar:
        return parts + _bars(traces, x, y, is_stacked)
    for trace in traces:
        is_line = "lines" in trace["mode"]
        parts += (_line if is_line else _dots)(trace, x, y)
    return parts


def draw(figure: Figure, width: int, label: str) -> str:
    layout, data = figure["layout"], figure["data"]
    asked_y = layout.get("yaxis", {})
    margin = 52.0
    if asked_y.get("type") == "category":
        longest = max((len(n) for n in _names(asked_y, data)), default=4)
        margin = min(0.42 * width, 14 + LETTER * longest)
    height = float(layout["height"])
    if asked_y.get("type") == "category":
        rows = len(_names(asked_y, data))
        side = sum(1 for t in data if t["type"] == "bar") or 1
        side = 1 if layout.get("barmode") == "stack" else side
        height = 64 + rows * max(30, 17 * side)
    else:
        height = min(height, 0.9 * width)
    bottom = height - 46
    panels = sorted(key[5:] for key in layout if key.startswith("xaxis")) or [
        ""
    ]
    top = 26.0 if len(panels) == 1 else 44.0  # a line for their names
    y_values = _values(data, "y") if asked_y.get("type") != "category" else []
    parts = []
    share = (width - 14.0) / len(panels)
    for number, suffix in enumerate(panels):
        mine = [t for t in data if t.get("xaxis", "x")[1:] == suffix]
        left = number * share + margin
        box = (left, top, (number + 1) * share, bottom)
        parts += _panel(layout, mine, suffix, box, y_values)
        if len(panels) > 1:
            text = layout["annotations"][number]["text"]
            parts.append(_text((left + box[2]) / 2, top - 11, text))
    if asked_y.get("type") != "category":
        title = asked_y.get("title", {}).get("text", "")
        parts.append(_text(2, 12, title, "start"))
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" '
        'width="%d" height="%d" role="img" aria-label="%s" font-size="%d" '
        'font-family="system-ui, sans-serif" fill="currentColor">%s</svg>'
        % (
            *(width, height, width, height),
            *(escape(label, quote=True), FONT, "".join(parts)),
        )
    )


def legend(figure: Figure) -> list[tuple[str, str]]:
    """(swatch as SVG, name) of each trace."""
    form = '<svg width="26" height="14" aria-hidden="true">%s</svg>'
    found = []
    for trace in figure["data"]:
        mark = trace.get("marker", {})
        line = trace.get("line")
        parts = ""
        if line:
            dash = DASHES[line.get("dash", "solid")]
            parts += '<path d="M0 7H26" stroke="%s" stroke-width="2"%s/>' % (
                line["color"],
                dash and ' stroke-dasharray="%s"' % dash,
            )
        elif trace["type"] == "bar":
            colour = mark["color"]
            if isinstance(colour, list):
                colour = "currentColor"
            weak = ' fill-opacity=".55"' if trace.get("weak") else ""
            parts += '<rect y="2" width="22" height="10" fill="%s"%s/>' % (
                colour,
                weak,
            )
        if "symbol" in mark:
            colour = line["color"] if line else "currentColor"
            parts += '<path transform="translate(13 7)" fill="%s" d="%s"/>' % (
                colour,
                MARKS[mark["symbol"]],
            )
        found.append((form % parts, str(trace.get("name", ""))))
    return found


def standalone(figure: Figure, width: int, label: str) -> str:
    """With a white ground and colours of its own, for a README."""
    style = (
        "<style>svg{background:#fff;color:#222}"
        ".grid{stroke:#ddd;fill:none}</style>"
    )
    made = draw(figure, width, label)
    end = made.index(">") + 1
    names = ", ".join(name for _, name in legend(figure))
    title = "<title>%s</title>" % escape("%s (%s)" % (label, names))
    return made[:end] + title + style + made[end:] + "\n"
