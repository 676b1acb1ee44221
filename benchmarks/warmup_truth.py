"""Does --warmup auto end where a JIT has settled?

    python benchmarks/warmup_truth.py [--server tornado-native] [--tries 10]

What a request costs at the end of loads of 120 s, each on a new process, and
what starts with --warmup auto say of it: 9 of 10 must be within 5 %. Takes
under ten minutes of a quiet machine; exit code 1 if fewer are.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from wsgibench.harness import record
from wsgibench.stats import samples

WITHIN, OF_TEN = 0.05, 9
LONG = ("--warmup", "110", "--duration", "10")
AUTO = ("--warmup", "auto", "--duration", "3")


def costs(asked: argparse.Namespace, starts: int, *more: str) -> list[float]:
    """CPU per request of each start, us; says what each needed."""
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "record.json"
        command = [sys.executable, "-m", "wsgibench", "run"]
        command += ["--server", asked.server, "--python", asked.python]
        command += ["--starts", str(starts), *more, "-o", str(output)]
        # It fails where a neighbour spoilt the row; the starts are there.
        subprocess.run(command, stdin=subprocess.DEVNULL)
        (cell,) = record.read(output)["cells"]
    found = []
    for start in cell["starts"]:
        measured = samples.windows(start).after(cell["load"])
        found.append(measured.series("server_cpu_us").value)
        begin = float(measured.begin[0])
        spoilt = samples.disturbance(start, cell["load"])
        print("%.1f us from %.1f s on %s" % (found[-1], begin, spoilt))
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--server", default="tornado-native")
    add("--python", default="pypy3")
    add("--long", type=int, default=2, help="loads of 120 s (%(default)s)")
    add("--tries", type=int, default=10)
    asked = parser.parse_args()
    truth = statistics.median(costs(asked, asked.long, *LONG))
    off = [cost / truth - 1 for cost in costs(asked, asked.tries, *AUTO)]
    near = sum(abs(one) <= WITHIN for one in off)
    print("off by %s %%" % ", ".join("%+.1f" % (100 * one) for one in off))
    print(
        "%d of %d within %.0f %% of %.1f us"
        % (near, len(off), 100 * WITHIN, truth)
    )
    return int(10 * near < OF_TEN * len(off))


if __name__ == "__main__":
    sys.exit(main())
