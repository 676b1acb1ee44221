"""``python -m wsgibench report FILE``: a record in another form."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

HELP = "a record as a page with pictures, a table, Markdown or CSV"

#: What the end of the output's name says.
ENDINGS = {".html": "html", ".htm": "html", ".md": "markdown", ".csv": "csv"}
#: Forms of a record of run --counted.
COUNTED = ("counted", "pyperf")
#: Commands whose records have a form of their own, by their name.
SEARCHES = ("capacity", "size")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("record", type=Path, help="file that a run wrote")
    parser.add_argument(
        "--format", help="table, html, markdown, csv, ...; else by the output"
    )
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        help="file to write (default: the terminal)",
    )


def run(arguments: argparse.Namespace) -> int:
    from wsgibench.load import report as load_report

    ending = arguments.output.suffix.lower() if arguments.output else ""
    chosen = arguments.format or ENDINGS.get(ending, "table")
    loaded = load_report.read(arguments.record)
    if loaded is not None:
        text = _of_load(arguments, loaded, chosen)
    else:
        text = _of_record(arguments, chosen)
    if arguments.output:
        arguments.output.write_text(text, encoding="utf-8")
    else:
        print(text, end="")
    return 0


def _of_load(
    arguments: argparse.Namespace, loaded: dict[str, Any], chosen: str
) -> str:
    from wsgibench.errors import UsageError
    from wsgibench.load import report as load_report

    try:
        return load_report.render(loaded, chosen)
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        # It has the schema's name and not its fields.
        raise UsageError(
            "%s is no whole result of `load` (%s: %.60s)."
            % (arguments.record, type(error).__name__, error)
        ) from error


def _of_record(arguments: argparse.Namespace, chosen: str) -> str:
    from wsgibench import plugins
    from wsgibench.errors import UsageError
    from wsgibench.harness import record
    from wsgibench.stats import counted

    found = record.read(arguments.record)
    if counted.is_counted(found):
        chosen = arguments.format or "counted"
        if chosen not in COUNTED:
            raise UsageError(
                "%s was counted, not timed; its forms are: %s."
                % (arguments.record, ", ".join(COUNTED))
            )
    if found.get("kind") in SEARCHES:
        forms = (found["kind"], "html")
        if chosen != "html":
            chosen = arguments.format or found["kind"]
        if chosen not in forms:
            raise UsageError(
                "%s is of `%s`; its forms are: %s."
                % (arguments.record, found["kind"], ", ".join(forms))
            )
    module = plugins.load("reports", chosen, "report")
    text: str = module.render(found)
    return text
