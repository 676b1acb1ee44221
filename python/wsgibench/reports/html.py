"""One page that says it all: opens offline, in any browser.

plotly.js (MIT) is written into it; everything else is in page/.
"""

from __future__ import annotations

import importlib.util
import json
import shlex
from pathlib import Path
from typing import Any

from wsgibench.errors import WsgibenchError
from wsgibench.stats import answers, comparison, noise
from wsgibench.stats.columns import LEGEND, codes, marked, notes

HELP = "a page with pictures"

PAGE = Path(__file__).parent / "page"

SECTIONS = (
    ("cpu", "What a request costs"),
    ("capacity", "Capacity"),
    ("latency", "Latency against load"),
    ("spectrum", "Percentiles of the time"),
    ("warmup", "Warm-up"),
    ("sweep", "Connections"),
    ("memory", "Memory"),
)


def _plotly() -> str:
    found = importlib.util.find_spec("plotly")
    places = found.submodule_search_locations if found else None
    for place in places or ():
        script = Path(place) / "package_data" / "plotly.min.js"
        if script.exists():
            return script.read_text(encoding="utf-8")
    raise WsgibenchError(
        "the page needs plotly; install it with: pip install wsgibench[bench]."
    )


def _json(value: Any) -> str:
    """Inside <script>: nothing in it may end the element."""
    text = json.dumps(value, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c")


def _settings(record: dict[str, Any]) -> list[dict[str, Any]]:
    """What each server said it ran with, and what was seen from outside."""
    found = []
    for cell in record["cells"]:
        if not cell["starts"] or cell.get("twin"):
            continue
        guest = cell["starts"][0]["guest"]
        found.append(
            {
                "name": cell["name"],
                "versions": _pairs(cell["versions"]),
                "settings": _pairs(guest.get("settings", {})),
                "observed": _pairs(guest.get("observed", {})),
            }
        )
    return found


def _pairs(values: dict[str, Any]) -> str:
    return ", ".join("%s %s" % item for item in sorted(values.items()))


def _floor(record: dict[str, Any]) -> str:
    floor = noise.floor(record, "server_cpu_us")
    if floor is None:
        return (
            "No server was measured twice (--aa), so the noise of this "
            "machine is not known."
        )
    return (
        "Noise floor: one server measured twice differed from itself by "
        "%.1f %% (ratio %s)."
        % (100 * noise.spread(floor), answers.interval_text(floor, "%.3f"))
    )


def render(record: dict[str, Any]) -> str:
    import jinja2

    from wsgibench.reports import _pictures

    entries = answers.entries(record)
    pictures = list(enumerate(_pictures.all_of(entries)))
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(PAGE),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    said = [
        (one, answers.sentence(one))
        for one in answers.answers(record, entries)
    ]
    # What a server can do comes before what it does when asked for less.
    first = [one for one in said if not one[0].best.row["rate"]] or said
    machine = record["machine"]
    return environment.get_template("report.html").render(
        record=record,
        answers=first,
        paced=[one for one in said if one not in first],
        sections=[
            (key, title, [p for p in pictures if p[1].section == key])
            for key, title in SECTIONS
        ],
        entries=entries,
        slower=comparison.SLOWER,
        floor=_floor(record),
        notes=notes(record, [one.row for one in entries]),
        settings=_settings(record),
        machine={key: str(value) for key, value in machine.items()},
        command="python -m wsgibench " + shlex.join(record["argv"]),
        interval_text=answers.interval_text,
        marked=marked,
        codes=codes,
        legend=LEGEND,
        style=(PAGE / "report.css").read_text(encoding="utf-8"),
        script=(PAGE / "report.js").read_text(encoding="utf-8"),
        plotly=_plotly(),
        figures=_json([picture.figure for _, picture in pictures]),
    )
