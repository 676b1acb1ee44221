"""``python -m wsgibench report FILE``: a record in another form."""

from __future__ import annotations

import argparse
from pathlib import Path

HELP = "print a record as a table, Markdown or CSV"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("record", type=Path)
    parser.add_argument("--format", default="table")
    parser.add_argument("-o", "--output", type=Path)


def run(arguments: argparse.Namespace) -> int:
    from wsgibench import plugins
    from wsgibench.harness import record

    module = plugins.load("reports", arguments.format, "report")
    text: str = module.render(record.read(arguments.record))
    if arguments.output:
        arguments.output.write_text(text)
    else:
        print(text, end="")
    return 0
