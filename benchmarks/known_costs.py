"""What `run`, `capacity` and `size` make of applications of known cost.

    python benchmarks/known_costs.py [split|capacity|size ...]

    split      CPU and waiting of an application that computes or sleeps for a
               time that it is told, within 10 %
    capacity   the rate that keeps a p99, of one process whose every request
               takes the same time, against M/D/1, within 5 %
    size       the fewest threads for requests that compute and wait, against
               a simulation of the queue

Prints figure, truth and target; exit code 1 if one is missed, or disturbed by
others on the machine. About five and a
half minutes in all, on a machine that does nothing else.
"""

from __future__ import annotations

import heapq
import json
import math
import random
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "python")]

from wsgibench.reports import capacity  # noqa: E402
from wsgibench.stats import answers, samples, split  # noqa: E402

#: `compute` spins until its thread has used so much CPU; `hold` until so much
#: time has gone, which is what occupies a server with one thread.
APPLICATION = """
import os
import time

COMPUTE = float(os.environ.get("COMPUTE", "0"))
HOLD = float(os.environ.get("HOLD", "0"))
WAIT = float(os.environ.get("WAIT", "0"))

def application(environ, start_response):
    if COMPUTE:
        end = time.thread_time() + COMPUTE
        while time.thread_time() < end:
            pass
    if HOLD:
        end = time.perf_counter() + HOLD
        while time.perf_counter() < end:
            pass
    if WAIT:
        time.sleep(WAIT)
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]
"""

MS = 1e-3
#: Seconds that a request holds the server, and the limit of its p99.
SERVICE, LIMIT = 1 * MS, 10 * MS
#: Of `size`: requests/s, seconds that each computes and waits, limit of p99.
RATE, CPU, WAIT, SIZE_LIMIT = 150.0, 1 * MS, 30 * MS, 120 * MS


@dataclass(frozen=True)
class Line:
    what: str
    figure: float
    truth: float
    target: float  # as a part of the truth
    disturbed: str = ""  # others used the machine meanwhile

    @property
    def off(self) -> float:
        return self.figure / self.truth - 1

    @property
    def holds(self) -> bool:
        return abs(self.off) <= self.target and not self.disturbed

    def __str__(self) -> str:
        return "%-46s %9.4g %9.4g %+7.1f %% %6.0f %%  %s" % (
            self.what,
            self.figure,
            self.truth,
            100 * self.off,
            100 * self.target,
            "disturbed: " + self.disturbed
            if self.disturbed
            else "holds"
            if self.holds
            else "MISSED",
        )


def wsgibench(folder: Path, *arguments: str) -> dict[str, Any]:
    """The record of a command."""
    done = subprocess.run(
        [
            *(sys.executable, "-m", "wsgibench", *arguments),
            *("--app=known:application", "--python=python3"),
            *("-o", "record.json"),
        ],
        cwd=folder,
        stdout=subprocess.PIPE,
        text=True,
    )
    if done.returncode > 1:
        raise SystemExit(done.returncode)
    print(done.stdout, file=sys.stderr)
    found: dict[str, Any] = json.loads((folder / "record.json").read_text())
    return found


# -- whose time


def _why(cell: dict[str, Any]) -> str:
    """Why most of a row's starts cannot be believed, or ""."""
    spoilt = samples.disturbances(cell)
    if 2 * len(spoilt) <= len(cell["starts"]):
        return ""
    return next(iter(spoilt.values()))


def splits(folder: Path) -> Iterator[Line]:
    kinds = (
        ("COMPUTE", 50e-6),
        ("COMPUTE", 500e-6),
        ("COMPUTE", 5 * MS),
        ("WAIT", 5 * MS),
    )
    for name, seconds in kinds:
        record = wsgibench(
            folder,
            "run",
            "--server=c-uv,waitress",
            "--env=%s=%r" % (name, seconds),
            *("--starts=2", "--duration=1.5", "--connections=8"),
        )
        for one in answers.entries(record):
            parts = split.of_cell(record, one.cell)
            assert parts is not None
            assert one.cpu is not None
            what = "%s %g us, %s: " % (name.lower(), 1e6 * seconds, one.server)
            why = _why(one.cell)
            if name == "WAIT":
                value = parts.waiting.estimate
                yield Line(what + "waiting us", value, 1e6 * seconds, 0.1, why)
                continue
            value = parts.application.estimate
            true = 1e6 * seconds
            yield Line(what + "application us", value, true, 0.1, why)
            # What is left of the whole for server and kernel is not less
            # than nothing, and the share follows.
            share = 1e6 * seconds / one.cpu.estimate
            value = parts.share.estimate
            yield Line(what + "its share", value, share, 0.1, why)


# -- capacity


def waits_at_most(seconds: float, rate: float, service: float) -> float:
    """P(W <= t) of M/D/1 (Erlang 1909; Crommelin 1932)."""
    total = 0.0
    for k in range(int(seconds / service) + 1):
        x = rate * (k * service - seconds)
        total += x**k / math.factorial(k) * math.exp(-x)
    return (1 - rate * service) * total


def theory(service: float, limit: float) -> float:
    low, high = 0.0, 1 / service
    for _ in range(60):
        middle = (low + high) / 2
        if waits_at_most(limit - service, middle, service) >= 0.99:
            low = middle
        else:
            high = middle
    return low


def capacities(folder: Path) -> Iterator[Line]:
    record = wsgibench(
        folder,
        "capacity",
        *("--server=c-uv", "--env=HOLD=%r" % SERVICE),
        *("--slo=p99=%gms" % (LIMIT / MS), "--starts=3", "--duration=4"),
    )
    (row,) = capacity.rows(record)
    closed = split.mean([start["closed_loop"] for start in row.starts])
    # The server's own part of a request occupies it, too.
    service = 1 / closed.estimate
    what = "service time ms (told 1, the rest is c-uv's)"
    yield Line(what, service / MS, SERVICE / MS, 0.1, row.disturbed)
    what = "capacity of c-uv at p99=%g ms, requests/s" % (LIMIT / MS)
    true = theory(service, LIMIT)
    yield Line(what, row.rate.estimate, true, 0.05, row.disturbed)


# -- size


def p99(threads: int) -> float:
    """One process: requests take a thread, then its CPU, then wait."""
    rng = random.Random(1)
    slots = [0.0] * threads
    now = cpu = 0.0
    times = []
    for _ in range(100_000):
        now += rng.expovariate(RATE)
        begin = max(now, heapq.heappop(slots))
        cpu = max(begin, cpu) + CPU
        heapq.heappush(slots, cpu + WAIT)
        times.append(cpu + WAIT - now)
    return sorted(times)[int(0.99 * len(times))]


def sizes(folder: Path) -> Iterator[Line]:
    record = wsgibench(
        folder,
        "size",
        *("--server=c-uv,waitress", "--rate=%g" % RATE),
        *("--env=COMPUTE=%r" % CPU, "--env=WAIT=%r" % WAIT),
        *("--slo=p99=%gms" % (SIZE_LIMIT / MS), "--duration=5"),
    )
    least = next(n for n in range(1, 100) if p99(n) <= SIZE_LIMIT)
    for cell in record["cells"]:
        found = cell["size"]["found"] or {"workers": 0, "threads": 0}
        name = cell["server"]
        why = cell["size"]["disturbed"]
        yield Line(name + ": workers", found["workers"], 1, 0.0, why)
        # One more or less lies within what 5 s of arrivals can tell.
        off = 1.01 / least
        yield Line(name + ": threads", found["threads"], least, off, why)


PARTS: dict[str, Callable[[Path], Iterator[Line]]] = {
    "split": splits,
    "capacity": capacities,
    "size": sizes,
}


def main(argv: list[str]) -> int:
    chosen = argv or list(PARTS)
    unknown = [name for name in chosen if name not in PARTS]
    if unknown:
        print("there is no %s; there are: %s" % (unknown[0], ", ".join(PARTS)))
        return 2
    lines = []
    with tempfile.TemporaryDirectory(prefix="wsgibench-") as name:
        folder = Path(name)
        (folder / "known.py").write_text(APPLICATION)
        for part in chosen:
            lines += PARTS[part](folder)
    print("%-46s %9s %9s %9s %8s" % ("", "figure", "truth", "off", "target"))
    for line in lines:
        print(line)
    return 0 if all(line.holds for line in lines) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
