"""A result of ``load --json``, alone or in a sweep, in another form."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

from wsgibench import bounded, printable
from wsgibench.errors import UsageError
from wsgibench.load.output import summary, time_text, tool_summary

FORMATS = ("table", "markdown", "csv")
MOST_VALUES = 10_000_000  # of a result
SCHEMAS = (b"wsgibench-load/", b"wsgibench-sweep/")
COLUMNS = (
    "connections",
    "rate",
    "scheduled",
    "ok",
    "goodput",
    "p50_ns",
    "p95_ns",
    "p99_ns",
    "p99.9_ns",
    "max_ns",
    "verdict",
)


def read(path: Path) -> dict[str, Any] | None:
    """The result in this file; None: it is something else, for others to
    say what is wrong with it."""
    try:
        data = bounded.read(path)
        if not any(schema in data for schema in SCHEMAS):
            return None
        found = printable.values(bounded.parsed(path, data, MOST_VALUES))
    except UsageError:
        return None
    schema = str(found.get("schema", "")) if isinstance(found, dict) else ""
    return found if schema.encode().startswith(SCHEMAS) else None


def _loads(found: dict[str, Any]) -> list[dict[str, Any]]:
    if "points" not in found:
        return [found]
    return [point["load"] for point in found["points"] if "load" in point]


def _row(load: dict[str, Any]) -> dict[str, Any]:
    values = {
        "connections": load["asked"]["connections"],
        "rate": load["asked"].get("mean_rate", load["asked"]["rate"]),
        "scheduled": load["scheduled"],
        "ok": load["classes"]["ok"],
        "goodput": round(load["goodput"], 1),
        "verdict": load["verdict"],
        **load["tail"],
    }
    return {name: values.get(name, "") for name in COLUMNS}


def _cell(load: dict[str, Any], row: dict[str, Any], name: str) -> str:
    if not name.endswith("_ns") or row[name] == "":
        return str(row[name])
    sign = ">= " if name in load["tail"].get("at_least", ()) else ""
    return sign + time_text(row[name])


def _markdown(loads: list[dict[str, Any]]) -> str:
    titles = [name[:-3] if name[-3:] == "_ns" else name for name in COLUMNS]
    lines = ["| %s |" % " | ".join(titles), "|---" * len(COLUMNS) + "|"]
    for load in loads:
        row = _row(load)
        cells = (
            printable.markdown(_cell(load, row, name)) for name in COLUMNS
        )
        lines.append("| %s |" % " | ".join(cells))
    reasons = {one for load in loads for one in load["reasons"]}
    notes = ("* " + printable.markdown(one) for one in sorted(reasons))
    return "\n".join([*lines, "", *notes])


def _csv(loads: list[dict[str, Any]]) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(map(_row, loads))
    return out.getvalue()


def _text(load: dict[str, Any]) -> str:
    if load["tool"] != "wsgibench":
        return tool_summary(load)
    asked = load["asked"]
    rate = asked.get("mean_rate", asked["rate"])
    first = "%s: %d connections, %s" % (
        load["url"],
        asked["connections"],
        "%.6g requests/s" % rate if rate else "closed loop",
    )
    return first + "\n" + summary(load)


def render(found: dict[str, Any], form: str) -> str:
    if form not in FORMATS:
        raise UsageError(
            "a result of load is shown as %s, not as %s."
            % (" or ".join(FORMATS), form)
        )
    loads = _loads(found)
    if form == "csv":
        return _csv(loads)
    if form == "markdown":
        return _markdown(loads).rstrip() + "\n"
    skipped = [
        "skipped: " + point["skipped"]
        for point in found.get("points", ())
        if "skipped" in point
    ]
    return "\n\n".join([*map(_text, loads), *skipped]) + "\n"
