"""Instructions in user space and heap allocations, from callgrind.

The target runs under valgrind with counting off until it is warm. vgdb, which
valgrind brings along, switches counting on and asks for dumps. Every process
of the target's tree is counted: a fork inherits all of it.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from wsgibench.errors import WsgibenchError
from wsgibench.harness import usage
from wsgibench.harness.process import Under

#: Calls that take memory from the heap.
ALLOCATING = frozenset(
    ("malloc", "calloc", "realloc", "posix_memalign", "aligned_alloc")
)
#: Under it a program is so many times slower; its deadlines are longer.
PATIENCE = 20.0

NAME = re.compile(r"^c?fn=\((\d+)\)(?: (.*))?$")
TIMEOUT = 120.0


@dataclass(frozen=True)
class Counts:
    instructions: int
    allocations: int

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.instructions + other.instructions,
            self.allocations + other.allocations,
        )


def available() -> bool:
    return all(map(shutil.which, ("valgrind", "vgdb")))


def under(folder: Path) -> Under:
    """What the target is started with; its files go to the folder."""
    valgrind = shutil.which("valgrind")
    if valgrind is None:
        raise WsgibenchError("install valgrind to count instructions.")
    return Under(
        prefix=(
            valgrind,
            "--tool=callgrind",
            "--quiet",
            "--instr-atstart=no",
            "--trace-children=yes",
            "--vgdb-prefix=%s" % (folder / "vgdb"),
            "--callgrind-out-file=%s" % (folder / "out.%p"),
        ),
        # The order of a set must not differ from start to start.
        variables={"PYTHONHASHSEED": "0"},
        patience=PATIENCE,
    )


class Control:
    """Of the processes of one target."""

    def __init__(self, pid: int, folder: Path) -> None:
        self._pid = pid
        self._folder = folder

    def _tell(self, *words: str) -> None:
        for pid in usage.tree(self._pid):
            if not self._reachable(pid):
                continue  # a helper that valgrind does not run
            done = subprocess.run(
                [
                    "vgdb",
                    "--vgdb-prefix=%s" % (self._folder / "vgdb"),
                    "--pid=%d" % pid,
                    *words,
                ],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=TIMEOUT,
            )
            if done.returncode:
                raise WsgibenchError(
                    "vgdb cannot reach process %d: %s"
                    % (pid, (done.stderr.split("\n") or [""])[0])
                )

    def _reachable(self, pid: int) -> bool:
        found = self._folder.glob("vgdb-from-vgdb-to-%d-*" % pid)
        return next(found, None) is not None

    def begin(self) -> None:
        self._tell("instrumentation", "on")
        self.take()  # what switching it on left behind

    def take(self) -> Counts:
        """Since the last time, of all its processes."""
        self._tell("dump")
        total = Counts(0, 0)
        for path in sorted(self._folder.glob("out.*.*")):
            with open(path, errors="replace") as lines:
                total += parse(lines)
            path.unlink()
        return total


def parse(lines: Iterable[str]) -> Counts:
    """A dump in callgrind's format: its totals, and how often functions that
    allocate were called. Names are written once and then by number."""
    names: dict[str, str] = {}
    instructions = allocations = 0
    called = ""
    for line in lines:
        if line.startswith(("fn=", "cfn=")):
            match = NAME.match(line.rstrip("\n"))
            if match is None:
                continue
            number, name = match.groups()
            if name:
                names[number] = _plain(name)
            if line.startswith("cfn="):
                called = names.get(number, "")
        elif line.startswith("calls=") and called in ALLOCATING:
            allocations += int(line[6:].split()[0])
        elif line.startswith(("totals:", "summary:")):
            instructions = int(line.split()[1])
    return Counts(instructions, allocations)


def _plain(name: str) -> str:
    """Without the cycle's number."""
    return name.split("'", 1)[0]
