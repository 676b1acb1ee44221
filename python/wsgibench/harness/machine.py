"""What was measured on."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import Any

from wsgibench.harness import energy


def _first(path: str, key: str) -> str:
    try:
        for line in Path(path).read_text().splitlines():
            name, _, value = line.partition(":")
            if name.strip() == key:
                return value.strip()
    except OSError:
        pass
    return ""


def describe() -> dict[str, Any]:
    why = energy.why_not()
    return {
        "cpu": _first("/proc/cpuinfo", "model name"),
        "cpus": sorted(os.sched_getaffinity(0)),
        "memory": _first("/proc/meminfo", "MemTotal"),
        "kernel": platform.release(),
        "system": platform.platform(),
        "load": os.getloadavg(),
        **({"energy": why} if why else {}),
    }


def split_cpus() -> tuple[int | None, int | None]:
    """(server's CPU, client's): apart if there are two."""
    cpus = sorted(os.sched_getaffinity(0))
    return (cpus[0], cpus[1]) if len(cpus) > 1 else (None, None)


def cpus_of_workers(workers: int) -> tuple[frozenset[int] | None, bool]:
    """(the CPUs of so many processes, None: all; whether the client has one
    of them, for want of others)"""
    server, client = split_cpus()
    if server is None or client is None:
        return None, True
    others = sorted(os.sched_getaffinity(0) - {client})
    if len(others) < workers:
        return None, True
    return frozenset(others[:workers]), False
