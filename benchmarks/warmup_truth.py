"""Does --warmup auto end where a JIT has settled?

    python benchmarks/warmup_truth.py [--server tornado-native] [--tries 10]

Each try is a new process, loaded for 120 s, all of whose windows are kept. The
decision of --warmup auto (harness/steady.py) is made of them as it is made in
a run: what a request costs in the 3 s behind it is held against what it costs
in the last 10 s of the same process. 9 of 10 must be within 5 %. (What one
process costs more than another is no matter of warm-up; the ends show it.)
Then a row of as many starts by itself, measured with --warmup auto, against
the median of the ends. 23 minutes of a quiet machine; exit code 1 if fewer
are, or the row is not.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from wsgibench.commands._warmup import LIMIT_JIT
from wsgibench.harness import record
from wsgibench.harness.plan import Load
from wsgibench.harness.steady import Decision
from wsgibench.load.generator import LIVE_SECONDS
from wsgibench.stats import samples, shift, warmup

WITHIN, OF_TEN = 0.05, 9
LONG, END, MEASURED = 120.0, 10.0, 3.0
CPU = "server_cpu_us"


def run(asked: argparse.Namespace, *more: str) -> dict[str, Any]:
    """The cell of a run."""
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "record.json"
        command = [sys.executable, "-m", "wsgibench", "run", *more]
        command += ["--server", asked.server, "--python", asked.python]
        command += ["--starts", str(asked.tries), "-o", str(output)]
        # It fails where a neighbour spoilt the row; the starts are there.
        subprocess.run(command, stdin=subprocess.DEVNULL)
        (cell,) = record.read(output)["cells"]
    found: dict[str, Any] = cell
    return found


def decided(start: dict[str, Any]) -> Decision:
    """The decision of --warmup auto about a load that is over."""
    load = Load(
        connections=1,
        duration=MEASURED,
        warmup=0.0,
        keepalive=True,
        headers="",
        settle=LIMIT_JIT,
    )
    made = Decision(load, warmup.settled, is_jit=True, shift=shift.of_costs)
    windows = samples.windows(start)
    ends = windows.begin + windows.seconds
    answered, used = np.cumsum(windows.ok), np.cumsum(windows.cpu_us) * 1e3
    looks = np.searchsorted(
        ends, np.arange(LIVE_SECONDS, ends[-1], LIVE_SECONDS)
    )
    for at in looks:
        if made.look(float(ends[at]), int(answered[at]), int(used[at])):
            break
    return made


def one(start: dict[str, Any], asked: dict[str, Any]) -> tuple[float, float]:
    """(CPU per request behind the warm-up, at the end), us."""
    outcome = decided(start).outcome
    assert outcome is not None, "LONG is more than the limit"
    windows = samples.windows(start)
    begin = windows.begin
    measured = (begin >= outcome.seconds) & (
        begin < outcome.seconds + MEASURED
    )
    cost = windows.only(measured).series(CPU).value
    end = windows.since(LONG - END).series(CPU).value
    print(
        "%.1f us from %.1f s on%s, %.1f us at the end: %+.1f %%  %s"
        % (
            cost,
            outcome.seconds,
            "" if outcome.steady else " (not settled)",
            end,
            100 * (cost / end - 1),
            samples.disturbance(start, asked) or "",
        )
    )
    return cost, end


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--server", default="tornado-native")
    add("--python", default="pypy3")
    add("--tries", type=int, default=10)
    asked = parser.parse_args()
    cell = run(asked, "--warmup", "0", "--duration", "%g" % LONG)
    tries = [one(start, cell["load"]) for start in cell["starts"]]
    near = sum(abs(cost / end - 1) <= WITHIN for cost, end in tries)
    print("%d of %d within %.0f %%" % (near, len(tries), 100 * WITHIN))
    ends = [end for _, end in tries]
    truth = statistics.median(ends)
    cell = run(asked, "--warmup", "auto", "--duration", "%g" % MEASURED)
    measured = samples.measured(cell).values()
    row = statistics.median(one.series(CPU).value for one in measured)
    print(
        "the row: %.1f us, the ends: %.1f us (%.1f to %.1f): %+.1f %%"
        % (row, truth, min(ends), max(ends), 100 * (row / truth - 1))
    )
    return int(
        10 * near < OF_TEN * len(tries) or abs(row / truth - 1) > WITHIN
    )


if __name__ == "__main__":
    sys.exit(main())
