"""With busy loops on all CPUs no row is valid, and each says why.

    python benchmarks/busy_machine.py [--loops 4] [RUN'S ARGUMENTS ...]

Races c-uv, null, gunicorn and tornado, on CPython and on PyPy, three starts
each, beside the loops; exit code 0 if every number of every row is INVALID
with a reason. What is given after the options goes to `run` instead.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from neighbours import busy

from wsgibench.harness import record
from wsgibench.stats import summary
from wsgibench.verdicts import INVALID

RACE = (
    *("--server", "c-uv,null,gunicorn-sync,tornado"),
    *("--python", "python3,pypy3", "--starts", "3", "--again", "1"),
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--loops", type=int, default=4)
    asked, given = parser.parse_known_args()
    with tempfile.TemporaryDirectory() as folder, busy(asked.loops):
        output = Path(folder) / "busy.json"
        command = [sys.executable, "-m", "wsgibench", "run"]
        command += [*(given or RACE), "-o", str(output)]
        subprocess.run(command, stdin=subprocess.DEVNULL)
        found = record.read(output)
    wrong = 0
    for cell in found["cells"]:
        row = summary.row(cell)
        verdicts = set(row["verdicts"].values())
        refused = verdicts == {INVALID} and bool(row["doubts"])
        wrong += not refused
        why = row["doubts"][0]["what"] if row["doubts"] else "no reason"
        mark = "as it must be" if refused else "WRONG"
        print("%s %s: %s" % (mark, cell["name"], why))
    of = len(found["cells"])
    print("%d of %d rows are valid, or say no reason" % (wrong, of))
    return int(wrong > 0 or not found["cells"])


if __name__ == "__main__":
    sys.exit(main())
