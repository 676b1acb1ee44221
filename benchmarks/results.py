"""RESULTS.md from the records of suites.

Made so::

    python -m wsgibench run --suite=S --profile=standard -o results/S.json
    python benchmarks/results.py results/*.json --into RESULTS.md

The sections of other suites stay as they are in that file: a suite takes an
hour of a quiet machine, and five need not be measured on the same day.
"""

from __future__ import annotations

import argparse
import re
import shlex
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "python"))

from wsgibench import runtimes  # noqa: E402
from wsgibench.harness import record as records  # noqa: E402
from wsgibench.reports import suite  # noqa: E402
from wsgibench.stats import answers, columns, summary  # noqa: E402
from wsgibench.verdicts import GOODPUT, INVALID  # noqa: E402

#: Characters of a table: three interpreters side by side, each with its name.
WIDE = 220

HEAD = """# Results

The five suites of [docs/suites.md](docs/suites.md) beside the numbers that
were published, made by `python benchmarks/results.py`, each on the day and at
the commit that it names. Each begins with what the original concluded and
whether that still holds, told from the requests/s below, or, where these are
bounds, from the server CPU. **Server CPU per request** (CPU us; +-%: half of
the way from the least to the most of its starts) is the figure to compare
between servers; requests/s were published on other machines, years ago, and
stand beside ours for the order, not the size. Then comes who costs least, with
95 % intervals, and who answers most where that is another. Every number that
stands here may be trusted for what it says: `>=` is a lower bound, for the
client was the limit; `~` is true of something else than was asked, such as
fewer requests; `a..b` is the range of a server that never settled. What was no
measurement is not printed; the footnote says why. How it was measured:
[docs/method.md](docs/method.md).
"""


def command(argv: list[str]) -> str:
    """As typed, without where its output went."""
    kept = []
    skip = False
    for word in argv:
        if skip or word.startswith(("--output=", "-o")):
            skip = word == "-o"
            continue
        skip = word == "--output"
        if not skip:
            kept.append(word)
    return "python -m wsgibench " + shlex.join(kept)


def starts(record: dict[str, Any]) -> str:
    counts = {len(cell["starts"]) for cell in record["cells"]} - {0}
    least, most = min(counts, default=0), max(counts, default=0)
    return str(most) if least == most else "%d to %d" % (least, most)


def answered(record: dict[str, Any]) -> list[str]:
    """A line for each load that is no sweep: who costs least, by how much,
    and who answers most."""
    loads = record["suite"]["loads"]
    entries = [
        one
        for one in answers.entries(record)
        if "sweep" not in loads[one.row["load_name"]]
    ]
    lines = []
    for answer in answers.answers(record, entries):
        best = answer.best
        most = max(
            (
                one
                for one in entries
                if one.goodput is not None
                and one.row["verdicts"][GOODPUT] != INVALID
                and one.server != summary.CEILING
                and (one.load, one.python) == (best.load, best.python)
            ),
            key=lambda one: one.row["goodput"],
        )
        line = "- **%s, %s**: %s" % (
            best.load,
            best.python,
            answers.sentence(answer),
        )
        if most is not best:
            line += " Most requests/s: %s, %s." % (
                most.server,
                columns.cell(most.row, "goodput"),
            )
        lines.append(line)
    return lines


def concluded(record: dict[str, Any]) -> list[str]:
    return ["- " + line for line in suite.concluded(record)]


def versions(record: dict[str, Any]) -> str:
    """What was installed beside the servers, by interpreter."""
    found: dict[str, dict[str, None]] = {}
    for cell in record["cells"]:
        if not cell["starts"]:
            continue
        packages = found.setdefault(runtimes.name(cell["python"]), {})
        for name, version in cell["versions"].items():
            packages["%s %s" % (name, version)] = None
    return "\n".join(
        "- %s: %s" % (python, ", ".join(sorted(packages)))
        for python, packages in found.items()
    )


def section(record: dict[str, Any]) -> str:
    machine = record["machine"]
    return (
        "## %s\n\n`%s`, commit %s, %s; %d cells, starts of each: %s%s; %s, "
        "CPUs %s, Linux %s.\n\n%s\n\n```\n%s```\n\nInstalled were\n\n%s\n"
        % (
            record["suite"]["name"],
            command(record["argv"]),
            record.get("commit", "unknown")[:10],
            record["created"][:10],
            len(record["cells"]),
            starts(record),
            "" if record["complete"] else " (ended before its last)",
            machine["cpu"],
            ", ".join(map(str, machine["cpus"])),
            machine["kernel"].partition("-")[0],
            "\n".join(concluded(record) + answered(record)),
            suite.render(record, width=WIDE, conclusions=False),
            versions(record),
        )
    )


def split(page: str) -> dict[str, str]:
    """The sections of a page, by suite."""
    parts = re.split(r"^(?=## )", page, flags=re.M)[1:]
    return {part.split("\n", 1)[0][3:]: part for part in parts}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("records", type=Path, nargs="+")
    parser.add_argument("--into", type=Path, required=True, metavar="PAGE")
    arguments = parser.parse_args()
    page = arguments.into.read_text() if arguments.into.exists() else ""
    sections = split(page)
    for path in arguments.records:
        record = records.read(path)
        sections[record["suite"]["name"]] = section(record)
    whole = [part.rstrip("\n") + "\n" for part in sections.values()]
    arguments.into.write_text("\n".join([HEAD, *whole]))


if __name__ == "__main__":
    main()
