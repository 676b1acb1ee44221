"""What the machine counted around a run (Linux; nothing elsewhere)."""

from __future__ import annotations

import time
from pathlib import Path


def _steal_ticks() -> int:
    """Ticks (1/100 s) that the hypervisor gave to others."""
    try:
        cpu = Path("/proc/stat").read_text().split("\n", 1)[0].split()
    except OSError:
        return 0
    return int(cpu[8]) if len(cpu) > 8 else 0


def snapshot() -> dict[str, int]:
    return {"steal_ticks": _steal_ticks(), "wall_ns": time.monotonic_ns()}


def difference(
    before: dict[str, int], after: dict[str, int]
) -> dict[str, int]:
    return {name: after[name] - before.get(name, 0) for name in after}


def waited_ns() -> int:
    """For how long this thread was ready and had no CPU (schedstat)."""
    try:
        return int(Path("/proc/self/schedstat").read_text().split()[1])
    except (OSError, IndexError, ValueError):
        return 0
