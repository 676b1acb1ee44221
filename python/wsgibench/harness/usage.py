"""What a tree of processes has used, from /proc (Linux)."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

TICK_NS = 1_000_000_000 // os.sysconf("SC_CLK_TCK")
READINGS = 3  # at most, until no process came or went meanwhile


@dataclass(frozen=True)
class Usage:
    """All of it since the processes began."""

    time_ns: int  # CLOCK_MONOTONIC, the load generator's clock
    cpu_ns: int  # of all threads of all processes, those that ended too
    rss: int  # bytes
    switches: int  # voluntary and involuntary context switches
    involuntary: int  # of these: it was made to give up its CPU
    wait_ns: int  # its threads could run and had no CPU (schedstat)
    system_ns: int = 0  # of cpu_ns: in the kernel, in ticks


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


def cpu_ns(pid: int) -> int:
    """Of all its threads, those that are gone too."""
    # clock_getcpuclockid(3), which Python only has for threads.
    process_clock = (~pid << 3) | 2
    try:
        return time.clock_gettime_ns(process_clock)
    except OSError:
        return 0


@dataclass(frozen=True)
class _Ticks:
    """Of proc(5), in nanoseconds."""

    system: int = 0
    ended: int = 0  # of children that were waited for, and of theirs
    ended_system: int = 0


def _ticks(pid: int) -> _Ticks:
    """Behind the name, which may hold anything."""
    try:
        text = Path("/proc/%d/stat" % pid).read_text()
        fields = text.rpartition(")")[2].split()
        stime, cutime, cstime = (int(one) * TICK_NS for one in fields[12:15])
    except (OSError, ValueError):
        return _Ticks()
    return _Ticks(stime, cutime + cstime, cstime)


def tree_cpu_ns(pid: int) -> int:
    """Of the process and its descendants, those that ended too."""
    return _of_all(pid)[0]


def _of_all(pid: int) -> tuple[int, int, list[int]]:
    """CPU, the kernel's part of it, and the processes that there are. The one
    who waits for a child takes over its time: again, if it did meanwhile."""
    for _ in range(READINGS):
        processes = tree(pid)
        ticks = [_ticks(one) for one in processes]
        cpu = sum(map(cpu_ns, processes)) + sum(one.ended for one in ticks)
        system = sum(one.system + one.ended_system for one in ticks)
        if processes == tree(pid):
            break
    return cpu, system, processes


def wants_cpu(pid: int) -> bool:
    """A thread of it runs, or could if it had a CPU."""
    for path in Path("/proc/%d/task" % pid).glob("*/stat"):
        try:
            state = path.read_text().rpartition(")")[2].split()[0]
        except (OSError, IndexError):
            continue
        if state in "RD":
            return True
    return False


def _status(path: Path) -> dict[str, int]:
    try:
        lines = path.read_text().splitlines()
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


def _wait_ns(pid: int) -> int:
    """Of the threads that there are."""
    total = 0
    for path in Path("/proc/%d/task" % pid).glob("*/schedstat"):
        try:
            total += int(path.read_text().split()[1])
        except (OSError, IndexError, ValueError):
            continue
    return total


def read(pid: int) -> Usage:
    rss = voluntary = involuntary = wait = 0
    cpu, system, processes = _of_all(pid)
    for process in processes:
        wait += _wait_ns(process)
        folder = Path("/proc/%d" % process)
        rss += _status(folder / "status").get("VmRSS", 0) * 1024
        for path in folder.glob("task/*/status"):  # switches are a thread's
            status = _status(path)
            voluntary += status.get("voluntary_ctxt_switches", 0)
            involuntary += status.get("nonvoluntary_ctxt_switches", 0)
    return Usage(
        time.monotonic_ns(),
        cpu,
        rss,
        voluntary + involuntary,
        involuntary,
        wait,
        system,
    )
