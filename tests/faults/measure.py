"""What the kernel tells about a process."""

from __future__ import annotations

import os
import resource

TICK = 1.0 / os.sysconf("SC_CLK_TCK")
KIB = 1024
MIB = 1024 * 1024


def memory(pid: int) -> int:
    """Bytes that only this process has (private, resident)."""
    total = 0
    with open("/proc/%d/smaps_rollup" % pid) as file:
        for line in file:
            if line.startswith("Private_"):
                total += int(line.split()[1]) * KIB
    return total


def cpu(pid: int) -> float:
    """Seconds of processor time so far."""
    with open("/proc/%d/stat" % pid) as file:
        fields = file.read().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) * TICK


def descriptors(pid: int) -> int:
    return len(os.listdir("/proc/%d/fd" % pid))


def room_for_descriptors(wanted: int) -> int:
    """Raises the soft limit of this process, and so of its children, as far
    as it may; how many there are then."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return soft
