"""What the kernel counted around a run (Linux; empty elsewhere)."""

from __future__ import annotations

from pathlib import Path

#: Counters that explain latency nobody measured: connections dropped at the
#: listener, and segments sent again.
WATCHED = ("ListenOverflows", "ListenDrops", "RetransSegs")


def _pairs(path: str) -> dict[str, int]:
    """Name/value line pairs, as in /proc/net/netstat and snmp."""
    try:
        lines = Path(path).read_text().splitlines()
    except OSError:
        return {}
    counters: dict[str, int] = {}
    for names, values in zip(lines[::2], lines[1::2]):
        for name, value in zip(names.split()[1:], values.split()[1:]):
            counters[name] = int(value)
    return counters


def _steal_ticks() -> int:
    """Ticks (1/100 s) that the hypervisor gave to others."""
    try:
        cpu = Path("/proc/stat").read_text().split("\n", 1)[0].split()
    except OSError:
        return 0
    return int(cpu[8]) if len(cpu) > 8 else 0


def snapshot() -> dict[str, int]:
    counters = {
        **_pairs("/proc/net/netstat"),
        **_pairs("/proc/net/snmp"),
    }
    taken = {name: counters[name] for name in WATCHED if name in counters}
    taken["steal_ticks"] = _steal_ticks()
    return taken


def difference(
    before: dict[str, int], after: dict[str, int]
) -> dict[str, int]:
    return {name: after[name] - before.get(name, 0) for name in after}
