"""The figures that c-uv must reach, in one interleaved run.

    ./bench                        # once: makes the environment
    .venv/bin/python benchmarks/speed.py [--starts 5] [--duration 2] [-o FILE]

Every row is a ratio of server CPU time per request between two cells of one
run; a start of the one is divided by the start of the other in the same block,
and the row is the median of these, with the smallest and largest beside it.
Counted rows (system calls, memory) are measured on processes of their own.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "python"))

from counted import memory_per_idle_connection, system_calls_per_request

from wsgibench.errors import WsgibenchError
from wsgibench.harness import interpreters, servers
from wsgibench.harness.plan import Cell, Load
from wsgibench.harness.run import Run
from wsgibench.stats.summary import start_numbers

CONNECTIONS = 64
WARMUP = {"CPython": 1.0, "PyPy": 4.0}
PEERS = ("fastpysgi", "bjoern")


@dataclass(frozen=True)
class Row:
    title: str
    python: str  # "cpython" or "pypy"
    over: tuple[str, ...]  # the best of these is the denominator
    load: str
    at_most: float
    server: str = "c-uv"
    over_load: str = ""  # of the denominator, where it is another


THREADS = "c-uv-threads:threads=4"

ROWS = (
    # What browsers and proxies send: three fields differ in each request.
    Row("unique headers", "cpython", ("freastal",), "proxied", 0.90),
    Row("the same", "cpython", ("peregrine",), "proxied", 0.80),
    Row("the same", "cpython", ("null",), "proxied", 1.05),
    Row(
        "unique / same headers",
        "pypy",
        ("c-uv",),
        "proxied",
        1.10,
        over_load="keep",
    ),
    Row("4 threads", "cpython", ("c-uv",), "proxied", 1.15, server=THREADS),
    Row(
        "4 threads",
        "cpython",
        ("granian:blocking_threads=4",),
        "proxied",
        0.70,
        server=THREADS,
    ),
    # One header block, repeated.
    Row("same headers", "cpython", ("null",), "keep", 1.00),
    Row("the same", "cpython", ("fastpysgi",), "keep", 0.66),
    Row("the same", "pypy", ("null",), "keep", 1.30),
    Row("no keep-alive", "cpython", ("null",), "close", 1.12),
    Row("no keep-alive", "cpython", PEERS, "close", 0.92),
    Row("the same", "cpython", ("bjoern",), "close", 0.95),
    Row("16 requests pipelined", "cpython", ("fastpysgi",), "pipe", 0.33),
)


def load_for(kind: str, warmup: float, duration: float) -> Load:
    return Load(
        connections=CONNECTIONS,
        duration=duration,
        warmup=warmup,
        keepalive=kind != "close",
        headers="proxied" if kind == "proxied" else "browser",
        pipeline=16 if kind == "pipe" else 1,
        name=kind,
    )


def cells_for(
    found: dict[str, interpreters.Interpreter], duration: float
) -> list[Cell]:
    cells = []
    for row in ROWS:
        if row.python not in found:
            continue
        interpreter = found[row.python]
        wanted = [(row.server, row.load)]
        wanted += [(peer, row.over_load or row.load) for peer in row.over]
        for server, load in wanted:
            if servers.why_not(server.partition(":")[0], interpreter):
                continue
            warmup = WARMUP.get(interpreter.implementation, 1.0)
            cell = Cell(
                server,
                row.python,
                "hello",
                load_for(load, warmup, duration),
            )
            if cell not in cells:
                cells.append(cell)
    return cells


def costs(record: dict[str, Any]) -> dict[tuple[str, str, str], list[float]]:
    """(server, python, load) -> server CPU us per request of each start."""
    found: dict[tuple[str, str, str], list[float]] = {}
    for cell in record["cells"]:
        key = (cell["server"], cell["python"]["name"], cell["load"]["name"])
        numbers = [
            start_numbers(start, cell["load"])
            for start in cell["starts"]
        ]
        found[key] = [n["server_cpu_us"] for n in numbers if n]
    return found


def line(row: Row, found: dict[Any, list[float]], pythons: Any) -> str:
    name = pythons[row.python].name
    ours = found.get((row.server, name, row.load), [])
    theirs = {
        peer: found.get((peer, name, row.over_load or row.load), [])
        for peer in row.over
    }
    theirs = {peer: costs for peer, costs in theirs.items() if costs}
    if not ours or not theirs:
        return "%-30s %-8s cannot be told: a cell is missing" % (
            row.title,
            row.python,
        )
    best = min(theirs, key=lambda peer: statistics.median(theirs[peer]))
    ratios = [a / b for a, b in zip(ours, theirs[best])]
    middle = statistics.median(ratios)
    return "%-30s %-8s / %-10s %6.3f  [%.3f .. %.3f]  <= %.2f  %s" % (
        row.title,
        row.python,
        best,
        middle,
        min(ratios),
        max(ratios),
        row.at_most,
        "holds" if middle <= row.at_most else "MISSED",
    )


def counted(title: str, value: float, at_most: float, unit: str) -> str:
    return "%-30s %-8s   %-10s %6.2f  %-18s <= %.2f  %s" % (
        title,
        "",
        "",
        value,
        unit,
        at_most,
        "holds" if value <= at_most else "MISSED",
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--python", default="python3")
    parser.add_argument("--pypy", default="pypy3", help="'' leaves it out")
    parser.add_argument("--starts", type=int, default=5)
    parser.add_argument("--duration", type=float, default=2.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "-o", "--output", type=Path, default=Path("speed.json")
    )
    arguments = parser.parse_args()
    found = {"cpython": interpreters.find(arguments.python)}
    if arguments.pypy:
        found["pypy"] = interpreters.find(arguments.pypy)
    record = Run(
        cells_for(found, arguments.duration),
        found,
        starts=arguments.starts,
        seed=arguments.seed,
        port=0,
        argv=sys.argv,
        output=arguments.output,
        tell=lambda text: print(text, file=sys.stderr, flush=True),
    ).execute()
    costs_found = costs(record)
    print(
        "server CPU per request, us (median of %d starts)" % arguments.starts
    )
    for key, values in sorted(costs_found.items()):
        if values:
            median = statistics.median(values)
            print("  %-10s %-8s %-6s %8.2f" % (*key, median))
    print("\nc-uv's, as a ratio; median [least .. most] of the blocks")
    for row in ROWS:
        if row.python in found:
            print(line(row, costs_found, found))
    for name, interpreter in found.items():
        calls = system_calls_per_request(interpreter)
        print(counted("system calls, " + name, calls, 2.1, "per request"))
        memory = memory_per_idle_connection(interpreter)
        print(counted("idle connection, " + name, memory, 1024, "bytes"))
    for failure in record["failures"]:
        print("%(cell)s: %(reason)s" % failure)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except WsgibenchError as error:
        sys.exit("speed: %s" % error)
