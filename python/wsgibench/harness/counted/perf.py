"""Instructions in user space from the machine's own counters (perf stat).

Much quicker than callgrind, where there are such counters; virtual machines
mostly have none. What is counted depends on when the kernel interrupts, so it
repeats to some tenths of a per cent, not exactly.
"""

from __future__ import annotations

import shutil
import signal
import subprocess
from collections.abc import Sequence
from types import TracebackType

from wsgibench.errors import WsgibenchError

EVENT = "instructions:u"


def available() -> bool:
    program = shutil.which("perf")
    if program is None:
        return False
    done = subprocess.run(
        [program, "stat", "-x,", "-e", EVENT, "--", "true"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    return done.returncode == 0 and parse(done.stderr) is not None


def parse(text: str) -> int | None:
    """The count of `perf stat -x,`; None where the machine has no counter."""
    for line in text.splitlines():
        fields = line.split(",")
        if len(fields) > 2 and fields[2].startswith("instructions"):
            return int(fields[0]) if fields[0].isdigit() else None
    return None


class Counting:
    """A context manager: counts the processes while it is open."""

    def __init__(self, pids: Sequence[int]) -> None:
        self._pids = pids
        self.instructions = 0

    def __enter__(self) -> Counting:
        command = ["perf", "stat", "-x,", "-e", EVENT]
        command += ["-p", ",".join(map(str, self._pids))]
        # It counts from when its own child runs: then it has said so.
        self._process = subprocess.Popen(
            [*command, "--", "sh", "-c", "echo; exec sleep 1000000"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        self._process.stdout.readline()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.send_signal(signal.SIGINT)
        _, said = self._process.communicate()
        found = parse(said)
        if kind is None and found is None:
            raise WsgibenchError("perf counted no instructions: " + said[:200])
        self.instructions = found or 0
