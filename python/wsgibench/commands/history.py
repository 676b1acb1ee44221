"""``python -m wsgibench history FOLDER``: many records, one course each."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

HELP = "the course of each number over a folder of records, with its changes"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, help="of records: *.json")
    parser.add_argument(
        "-o", "--output", type=Path, help="a page with pictures: NAME.html"
    )


def run(arguments: argparse.Namespace) -> int:
    from wsgibench import outputs, printable
    from wsgibench.errors import UsageError
    from wsgibench.harness import record
    from wsgibench.reports import _history
    from wsgibench.stats import history

    outputs.check(arguments.output)
    if not arguments.folder.is_dir():
        raise UsageError("%s is no folder." % arguments.folder)
    records = []
    for path in sorted(arguments.folder.glob("*.json")):
        try:
            records.append(record.read(path, record.TIMED, record.COUNTED))
        except UsageError as error:
            text = printable.text(str(error))
            print("left out: " + text, file=sys.stderr)
    found = history.courses(records)
    if not found:
        raise UsageError(
            "%s has no two records with a cell in common." % arguments.folder
        )
    print(_history.table(found), end="")
    if arguments.output:
        outputs.write(arguments.output, _history.page(found))
    return 0
