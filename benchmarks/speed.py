"""The figures that c-uv must reach, by one command.

    ./bench list                   # once: makes the environment
    .venv/bin/python benchmarks/speed.py [--starts 5] [--duration 2]
        [--free-threaded PYTHON] [--only ROW] [-o FILE]

A block starts every server once, in an order of its own, and loads each with
all that the rows ask of it, in an order of its own: 64 connections, our
generator and wrk on the other CPU, sending the same headers. Most rows are
ratios of server CPU time per request, those of threads and loops are rates.
The start of the one server is divided by the start of the other in the same
block; a row is the median of these, between the least and the most: with five
blocks, the true median is between them with a probability of 94 %.

Instructions, system calls and memory are counted on processes of their own.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import statistics
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "python"), str(ROOT)]

import instructions  # noqa: E402
from counted import (  # noqa: E402
    memory_per_idle_connection,
    system_calls_per_request,
)
from speed_apps import WAIT  # noqa: E402
from speed_cells import (  # noqa: E402
    JIT_WARMUP,
    WARMUP,
    Contestant,
    Field,
    Traffic,
    load,
    tell,
    warm_up,
)

from wsgibench.errors import UsageError, WsgibenchError  # noqa: E402
from wsgibench.harness import interpreters, machine  # noqa: E402

C_UV = Contestant("c-uv")
THREADS = Contestant("c-uv:threads=4")
WAITING = Contestant("c-uv:threads=16", app="waits")
PYPY = Contestant("c-uv", "pypy")
CANNED = Contestant("canned", "")
ONE_LOOP = Contestant("c-uv:loops=1", "free", "computes", spread=True)
TWO_LOOPS = Contestant("c-uv:loops=2", "free", "computes", spread=True)
TWO_THREADS = Contestant("c-uv:threads=2", "free", "computes", spread=True)
BOTH = ("ours", "wrk")


@dataclass(frozen=True)
class Row:
    """`ours` under `traffic`, divided by `other` under the same, or under
    `other_traffic`; or, if there is no other, by the number `unit`."""

    name: str  # what --only looks in
    ours: Contestant
    other: Contestant | None
    traffic: str
    at_most: float = 0.0
    at_least: float = 0.0
    other_traffic: str = ""
    clients: tuple[str, ...] = BOTH
    of: str = "cpu"  # or rate
    unit: float = 1.0

    def holds(self, value: float) -> bool:
        return (
            value <= self.at_most if self.at_most else value >= self.at_least
        )

    @property
    def target(self) -> str:
        if self.at_most:
            return "<= %.2f" % self.at_most
        return ">= %.2f" % self.at_least

    def needs(self) -> list[tuple[Contestant, Traffic]]:
        found = []
        for client in self.clients:
            found.append((self.ours, Traffic(self.traffic, client)))
            if self.other is not None:
                kind = self.other_traffic or self.traffic
                found.append((self.other, Traffic(kind, client)))
        return found


def peer(server: str) -> Contestant:
    return Contestant(server)


ROWS = (
    Row("unique / freastal", C_UV, peer("freastal"), "unique", 0.90),
    Row("unique / peregrine", C_UV, peer("peregrine"), "unique", 0.80),
    Row("unique / canned", C_UV, CANNED, "unique", 1.05),
    Row("same / canned", C_UV, CANNED, "same", 1.00),
    Row("same / fastpysgi", C_UV, peer("fastpysgi"), "same", 0.66),
    Row(
        "PyPy unique / same", PYPY, PYPY, "unique", 1.10, other_traffic="same"
    ),
    Row("threads=4 / threads=0", THREADS, C_UV, "unique", 1.15),
    Row(
        "threads=4 / granian with 4",
        THREADS,
        peer("granian:blocking_threads=4"),
        "unique",
        0.70,
    ),
    Row(
        "threads=16, 5 ms: rate / most",
        WAITING,
        None,
        "unique",
        at_least=0.95,
        clients=("ours",),
        of="rate",
        unit=16 / WAIT,
    ),
    Row(
        "free-threaded, 2 loops / 1: rate",
        TWO_LOOPS,
        ONE_LOOP,
        "unique",
        at_least=1.8,
        clients=("ours",),
        of="rate",
    ),
    Row(
        "free-threaded, 2 threads / 1 loop: rate",
        TWO_THREADS,
        ONE_LOOP,
        "unique",
        at_least=1.8,
        clients=("ours",),
        of="rate",
    ),
    Row("no keep-alive / bjoern", C_UV, peer("bjoern"), "close", 0.95),
    Row(
        "16 pipelined / fastpysgi",
        C_UV,
        peer("fastpysgi"),
        "pipe",
        0.33,
        clients=("ours",),
    ),
)

Key = tuple[Contestant, Traffic]


# ---- measuring ------------------------------------------------------------


class Measured:
    """key -> block -> what load() gave; written after every server."""

    def __init__(self, output: Path, arguments: argparse.Namespace) -> None:
        self.values: dict[Key, dict[int, dict[str, float]]] = {}
        self.failures: list[str] = []
        self._output = output
        self._about = {
            "schema": "wsgibench-speed/1",
            "machine": machine.describe(),
            "starts": arguments.starts,
            "duration": arguments.duration,
            "seed": arguments.seed,
        }

    def fail(self, text: str) -> None:
        tell(text)
        if text not in self.failures:
            self.failures.append(text)

    def write(self) -> None:
        cells = [
            {
                "server": contestant.server,
                "python": contestant.python,
                "app": contestant.app,
                "traffic": traffic.kind,
                "client": traffic.client,
                "blocks": blocks,
            }
            for (contestant, traffic), blocks in self.values.items()
        ]
        record = {**self._about, "cells": cells, "failures": self.failures}
        self._output.write_text(json.dumps(record, indent=1))


def visit(
    field: Field,
    contestant: Contestant,
    traffics: list[Traffic],
    block: int,
    seed: int,
    duration: float,
    found: Measured,
) -> None:
    """One start of one server, under all that is asked of it."""
    python = field.pythons.get(contestant.python)
    with field.start(contestant) as (pid, port):
        if python is not None and python.implementation == "PyPy":
            warm_up(port, "unique", JIT_WARMUP)
        for traffic in traffics:
            try:
                warm_up(port, traffic.kind, WARMUP)
                value = load(pid, port, traffic, duration, seed)
            except WsgibenchError as error:
                found.fail("%s, %s: %s" % (contestant.name, traffic, error))
                continue
            found.values.setdefault((contestant, traffic), {})[block] = value


def measure(
    rows: list[Row], field: Field, arguments: argparse.Namespace
) -> Measured:
    found = Measured(arguments.output, arguments)
    asked: dict[Contestant, list[Traffic]] = {}
    for row in rows:
        for contestant, traffic in row.needs():
            loads = asked.setdefault(contestant, [])
            if traffic not in loads:
                loads.append(traffic)
    for contestant in list(asked):
        reason = field.why_not(contestant)
        if reason:
            found.fail("%s: %s" % (contestant.name, reason))
            del asked[contestant]
    rng = random.Random(arguments.seed)
    for block in range(arguments.starts):
        order = list(asked)
        rng.shuffle(order)
        for number, contestant in enumerate(order):
            traffics = list(asked[contestant])
            rng.shuffle(traffics)
            tell(
                "block %d of %d, %d of %d: %s"
                % (
                    *(block + 1, arguments.starts, number + 1, len(order)),
                    contestant.name,
                )
            )
            try:
                visit(
                    field,
                    contestant,
                    traffics,
                    block,
                    arguments.seed + block,
                    arguments.duration,
                    found,
                )
            except WsgibenchError as error:
                found.fail("%s: %s" % (contestant.name, error))
            found.write()
    return found


# ---- telling --------------------------------------------------------------

LINE = "%-40s %-8s %-5s %9.3f  %-18s %s"


def ratios(row: Row, client: str, found: Measured) -> list[float]:
    """One for each block that has both."""
    ours = found.values.get((row.ours, Traffic(row.traffic, client)), {})
    if row.other is None:
        return [value[row.of] / row.unit for value in ours.values()]
    kind = row.other_traffic or row.traffic
    other = found.values.get((row.other, Traffic(kind, client)), {})
    return [
        ours[block][row.of] / other[block][row.of]
        for block in ours
        if block in other
    ]


def tell_row(row: Row, found: Measured) -> bool:
    held = True
    for client in row.clients:
        values = ratios(row, client, found)
        if not values:
            print(
                "%-40s %-8s %-5s cannot be told: see below"
                % (row.name, row.target, client)
            )
            held = False
            continue
        middle = statistics.median(values)
        spread = "[%.3f .. %.3f]" % (min(values), max(values))
        holds = row.holds(middle)
        held = held and holds
        words = "holds" if holds else "MISSED"
        print(LINE % (row.name, row.target, client, middle, spread, words))
    return held


def tell_count(name: str, value: float, at_most: float, unit: str) -> bool:
    print(
        "%-40s <= %-5g       %9.1f  %-18s %s"
        % (
            name,
            at_most,
            value,
            unit,
            "holds" if value <= at_most else "MISSED",
        ),
        flush=True,
    )
    return value <= at_most


def counts(field: Field) -> dict[str, Callable[[], bool]]:
    """Name -> counts, tells, and says whether it holds."""
    made: dict[str, Callable[[], bool]] = {}
    python = sys.executable
    for name, figure in instructions.FIGURES.items():

        def count(name: str = name, most: int = figure.at_most) -> bool:
            value = instructions.per_request(python, name)
            return tell_count(
                "instructions: " + name, value, most, "a request"
            )

        made["instructions: " + name] = count
    for key, interpreter in field.pythons.items():
        if key == "free":
            continue
        label = interpreter.implementation

        def calls(label: str = label, one: Any = interpreter) -> bool:
            value = system_calls_per_request(one)
            return tell_count(
                "system calls, " + label, value, 2.1, "a request"
            )

        def memory(label: str = label, one: Any = interpreter) -> bool:
            value = memory_per_idle_connection(one)
            most = 400 if label == "CPython" else 1024
            return tell_count(
                "idle connection, " + label, value, most, "bytes"
            )

        made["system calls, " + label] = calls
        made["idle connection, " + label] = memory
    return made


def tell_costs(found: Measured) -> None:
    print("server CPU, us a request; rate, 1/s (medians)")
    for (contestant, traffic), blocks in sorted(
        found.values.items(), key=lambda item: str(item[0])
    ):
        values = list(blocks.values())
        print(
            "  %-36s %-7s %-5s %8.2f %9.0f"
            % (
                contestant.name,
                traffic.kind,
                traffic.client,
                statistics.median(value["cpu"] for value in values),
                statistics.median(value["rate"] for value in values),
            )
        )


# ---- the command ----------------------------------------------------------


def pythons(
    arguments: argparse.Namespace,
) -> dict[str, interpreters.Interpreter]:
    found = {"cpython": interpreters.find(arguments.python)}
    if arguments.pypy:
        found["pypy"] = interpreters.find(arguments.pypy)
    if arguments.free_threaded:
        found["free"] = interpreters.find(arguments.free_threaded)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--python", default="python3")
    add("--pypy", default="pypy3", help="'' leaves it out")
    add(
        "--free-threaded",
        default=shutil.which("python3.14t") or shutil.which("python3.13t"),
        metavar="PYTHON",
        help="a build without the GIL (default: one on the PATH)",
    )
    add("--starts", type=int, default=5)
    add("--duration", type=float, default=2.0)
    add("--seed", type=int, default=1)
    add(
        "--only",
        action="append",
        default=[],
        metavar="ROW",
        help="rows whose name has this in it; may be given again",
    )
    add("--list", action="store_true", help="name the rows and end")
    add("-o", "--output", type=Path, default=Path("speed.json"))
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        return race(arguments, Field(pythons(arguments), Path(folder)))


def race(arguments: argparse.Namespace, field: Field) -> int:
    def wanted(name: str) -> bool:
        only = arguments.only
        return not only or any(part.lower() in name.lower() for part in only)

    rows = [row for row in ROWS if wanted(row.name)]
    counting = {n: one for n, one in counts(field).items() if wanted(n)}
    if not rows and not counting:
        raise UsageError("no row has that in its name; --list has them all.")
    if arguments.list:
        print("\n".join([row.name for row in rows] + list(counting)))
        return 0
    found = measure(rows, field, arguments)
    tell_costs(found)
    print(
        "\n%-40s %-8s %-5s %9s  %s"
        % ("row", "wanted", "by", "median", "[least .. most]")
    )
    held = [tell_row(row, found) for row in rows]
    for name, count in counting.items():
        try:
            held.append(count())
        except (WsgibenchError, SystemExit, ValueError) as error:
            found.fail("%s: %s" % (name, error))
            held.append(False)
    found.write()
    for failure in found.failures:
        print(failure)
    return 0 if all(held) else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except UsageError as error:
        print("speed: %s" % error, file=sys.stderr)
        sys.exit(2)
    except WsgibenchError as error:
        sys.exit("speed: %s" % error)
