"""System calls by name, counted by strace, and context switches."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from wsgibench.errors import WsgibenchError
from wsgibench.harness import usage

#: % time, seconds, usecs/call, calls, errors (may be empty), name.
ROW = re.compile(r"^\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s+(?:\d+\s+)?(\w+)\s*$")
ATTACHED = re.compile(r"attached|\bwith \d+ threads")
#: What attaching and leaving adds.
ARTEFACTS = ("restart_syscall",)


def available() -> bool:
    return shutil.which("strace") is not None


def parse(text: str) -> dict[str, int]:
    """The table of `strace -c`: calls by name."""
    found = {}
    for line in text.splitlines():
        match = ROW.match(line)
        if match and match.group(2) not in ("total", *ARTEFACTS):
            found[match.group(2)] = int(match.group(1))
    return found


class Counting:
    """A context manager: counts the processes' calls while it is open."""

    def __init__(self, pids: Sequence[int]) -> None:
        self._pids = pids
        self.calls: dict[str, int] = {}

    def __enter__(self) -> Counting:
        self._folder = tempfile.TemporaryDirectory(prefix="wsgibench-")
        self._counts = Path(self._folder.name) / "counts"
        command = ["strace", "-f", "-c", "-o", str(self._counts)]
        for pid in self._pids:
            command += ["-p", str(pid)]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self._process.stderr is not None
        for _ in self._pids:
            line = self._process.stderr.readline()
            if not ATTACHED.search(line):
                self._process.kill()
                self._process.wait()
                self._folder.cleanup()
                raise WsgibenchError(
                    "strace cannot watch the server: %s" % line.strip()
                )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.send_signal(signal.SIGINT)
        self._process.communicate()
        if kind is None:
            self.calls = parse(self._counts.read_text())
        self._folder.cleanup()


def switches(pid: int) -> int:
    """Of all threads of the tree, so far."""
    return usage.read(pid).switches
