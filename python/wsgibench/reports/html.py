"""One page that says it all: opens offline, in any browser, without scripts.

Pictures are drawn here as SVG (_svg.py), in a width for screens and in one for
phones; the page shows the one that fits.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wsgibench.reports import _application as _application_tables
from wsgibench.reports import _svg
from wsgibench.stats import answers, choice, cost, noise
from wsgibench.stats.answers import Entry
from wsgibench.stats.columns import LEGEND, cell, codes
from wsgibench.verdicts import INVALID

if TYPE_CHECKING:
    from wsgibench.reports._pictures import Picture

HELP = "a page with pictures"
KINDS = ("timed", "capacity", "size")

#: Pixels of a picture on a screen and on a phone.
WIDE, NARROW = 780, 350

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


def _settings(record: dict[str, Any]) -> list[dict[str, Any]]:
    """What each server said it ran with, and what was seen from outside."""
    found = []
    for one in record["cells"]:
        if not one["starts"] or one.get("aa"):
            continue
        target = one["starts"][0]["target"]
        found.append(
            {
                "name": one["name"],
                "versions": _pairs(one["versions"]),
                "settings": _pairs(target.get("settings", {})),
                "observed": _pairs(target.get("observed", {})),
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


@dataclass(frozen=True)
class Drawn:
    wide: str
    narrow: str
    legend: list[tuple[str, str]]

    @property
    def symbols(self) -> bool:
        return bool(self.legend and self.legend[0][1])


def drawn(picture: Picture, title: str) -> Drawn:
    label = "%s: %s. The numbers are in the table below." % (
        title,
        picture.title,
    )
    return Drawn(
        _svg.draw(picture.figure, WIDE, label),
        _svg.draw(picture.figure, NARROW, label),
        _svg.legend(picture.figure),
    )


def _application(
    record: dict[str, Any], entries: list[Entry]
) -> dict[str, Any] | None:
    if "application" not in record:
        return None
    return {
        "differences": _application_tables.differences(entries),
        "splits": _application_tables.splits(record, entries),
        "routes": _application_tables.routes(record, entries),
        "how_far": _application_tables.how_far(record),
    }


def _whose(
    record: dict[str, Any], entries: list[Entry]
) -> tuple[Picture, Drawn] | None:
    from wsgibench.reports import _pictures

    found = _pictures.whose_time(record, entries)
    if found is None:
        return None
    return found, drawn(found, found.title)


def command_of(record: dict[str, Any]) -> str:
    """From the folder it ran in, if that is known."""
    command = "python -m wsgibench " + shlex.join(record["argv"])
    folder = record.get("cwd")
    return "cd %s\n%s" % (shlex.quote(folder), command) if folder else command


def _title(record: dict[str, Any]) -> str:
    if "application" in record:
        return str(record["application"]["target"])
    names = dict.fromkeys(cell["scenario"] for cell in record["cells"])
    return ", ".join(names) or "nothing measured"


def figures_of(
    record: dict[str, Any], one: choice.Choice
) -> list[tuple[str, str, str]]:
    """(what, number, more) of the first in rank, at a glance."""
    best = one.best
    found = [("CPU for a request", *_parted(answers.cpu_text(best), "us"))]
    if best.goodput is not None:
        text = answers.goodput_text(best)
        bound = best.row["rate"] or text.startswith(">=")
        name = "requests/s" if bound else "requests/s at most"
        found.append((name, *_parted(text, "")))
    for key, name in (("p50_ns", "median time"), ("p99_ns", "p99 time")):
        if best.row.get(key) is not None:
            found.append((name, cell(best.row, key) + " ms", ""))
    asked = cost.prices(record)
    priced = cost.of_row(best.row, best.cell, asked)
    if priced is not None:
        found.append(("a million requests", cost.money(priced.million), ""))
    return found


def _parted(text: str, unit: str) -> tuple[str, str]:
    number, _, ends = text.partition(" ")
    return ("%s %s" % (number, unit)).strip(), ends


def environment() -> Any:
    """Of the templates."""
    import jinja2

    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(PAGE),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def style() -> str:
    return (PAGE / "report.css").read_text(encoding="utf-8")


def render(record: dict[str, Any]) -> str:
    from wsgibench.reports import _pictures, _search_page

    if record.get("kind") in _search_page.KINDS:
        return _search_page.render(record)
    entries = answers.entries(record)
    pictures = _pictures.all_of(entries)
    chosen = [
        (one, choice.sentences(record, one))
        for one in choice.choices(record, entries)
    ]
    # What a server can do comes before what it does when asked for less.
    chosen.sort(key=lambda pair: _is_paced(pair[0]))
    template = environment().get_template("report.html")
    text: str = template.render(
        record=record,
        title=_title(record),
        chosen=chosen,
        measured=any(one.ranked for one, _ in chosen),
        several=len({one.load for one in entries}) > 1,
        application=_application(record, entries),
        sections=[
            (
                key,
                title,
                [(p, drawn(p, title)) for p in pictures if p.section == key],
            )
            for key, title in SECTIONS
        ],
        entries=_ranked(entries),
        floor=_floor(record),
        settings=_settings(record),
        machine={key: str(v) for key, v in record["machine"].items()},
        command=command_of(record),
        cpu_text=answers.cpu_text,
        goodput_text=answers.goodput_text,
        cell=cell,
        codes=codes,
        legend=LEGEND,
        style=style(),
        figures_of=lambda one: figures_of(record, one),
        whose=_whose(record, entries),
    )
    return text


def _is_paced(one: choice.Choice) -> bool:
    return bool(one.ranked and one.best.row["rate"])


def _ranked(entries: list[Entry]) -> list[Entry]:
    """What cannot be believed never leads."""
    return sorted(entries, key=lambda one: one.row["verdict"] == INVALID)
