"""What a tree of processes has used, from /proc (Linux)."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Usage:
    time_ns: int  # CLOCK_MONOTONIC, the load generator's clock
    cpu_ns: int  # of all threads of all processes
    rss: int  # bytes
    switches: int  # voluntary and involuntary context switches


def tree(pid: int) -> list[int]:
    """The process and its descendants."""
    found = [pid]
    for parent in found:
        for task in Path("/proc/%d/task" % parent).glob("*/children"):
            try:
                found += map(int, task.read_text().split())
            except OSError:
                continue
    return found


def _cpu_ns(pid: int) -> int:
    """Of all its threads, those that are gone too."""
    # clock_getcpuclockid(3), which Python only has for threads.
    process_clock = (~pid << 3) | 2
    try:
        return time.clock_gettime_ns(process_clock)
    except OSError:
        return 0


def _status(pid: int) -> dict[str, int]:
    try:
        lines = Path("/proc/%d/status" % pid).read_text().splitlines()
    except OSError:
        return {}
    values = {}
    for line in lines:
        name, _, value = line.partition(":")
        if name in (
            "VmRSS",
            "voluntary_ctxt_switches",
            "nonvoluntary_ctxt_switches",
        ):
            values[name] = int(value.split()[0])
    return values


def read(pid: int) -> Usage:
    cpu = rss = switches = 0
    for process in tree(pid):
        cpu += _cpu_ns(process)
        status = _status(process)
        rss += status.get("VmRSS", 0) * 1024
        switches += status.get("voluntary_ctxt_switches", 0)
        switches += status.get("nonvoluntary_ctxt_switches", 0)
    return Usage(time.monotonic_ns(), cpu, rss, switches)


class Sampler(threading.Thread):
    """Reads the usage of a process tree all along a run."""

    def __init__(self, pid: int, period: float = 0.1) -> None:
        super().__init__(daemon=True)
        self._pid = pid
        self._period = period
        self._over = threading.Event()
        self.samples: list[Usage] = []

    def run(self) -> None:
        while not self._over.is_set():
            self.samples.append(read(self._pid))
            self._over.wait(self._period)

    def stop(self) -> list[Usage]:
        self._over.set()
        self.join()
        self.samples.append(read(self._pid))
        return self.samples
