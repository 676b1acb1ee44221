"""``python -m wsgibench report FILE``: a record in another form."""

from __future__ import annotations

import argparse
from pathlib import Path
from types import ModuleType
from typing import Any

HELP = "a record as a page with pictures, a table, Markdown or CSV"

#: What the end of the output's name says.
ENDINGS = {".html": "html", ".htm": "html", ".md": "markdown", ".csv": "csv"}


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
    from wsgibench import outputs
    from wsgibench.load import report as load_report

    outputs.check(arguments.output)
    ending = arguments.output.suffix.lower() if arguments.output else ""
    chosen = arguments.format or ENDINGS.get(ending, "")
    loaded = load_report.read(arguments.record)
    if loaded is not None:
        text = _of_load(arguments, loaded, chosen)
    else:
        text = _of_record(arguments, chosen)
    if arguments.output:
        outputs.write(arguments.output, text)
    else:
        print(text, end="")
    return 0


def _of_load(
    arguments: argparse.Namespace, loaded: dict[str, Any], chosen: str
) -> str:
    from wsgibench.errors import UsageError
    from wsgibench.load import report as load_report

    try:
        return load_report.render(loaded, chosen or "table")
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

    found = record.read(arguments.record)
    kind = record.kind(found)
    if not chosen:
        chosen = "table" if kind == record.TIMED else kind
    module = plugins.load("reports", chosen, "report")
    if kind not in _kinds(module):
        loaded = (
            plugins.load("reports", name, "report")
            for name in plugins.names("reports")
        )
        raise UsageError(
            "%s is of %s; its forms are: %s."
            % (
                arguments.record,
                record.OF[kind],
                ", ".join(
                    one.__name__.rpartition(".")[2]
                    for one in loaded
                    if kind in _kinds(one)
                ),
            )
        )
    text: str = module.render(found)
    return text


def _kinds(module: ModuleType) -> tuple[str, ...]:
    kinds: tuple[str, ...] = getattr(module, "KINDS", ("timed",))
    return kinds
