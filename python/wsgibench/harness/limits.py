"""What this machine cannot reach, said with the arithmetic."""

from __future__ import annotations

import resource

#: Descriptors that a server has open beside its connections.
SPARE = 64


def descriptors() -> int:
    return resource.getrlimit(resource.RLIMIT_NOFILE)[1]


def ports() -> int:
    """Local ports that one source address has to one destination."""
    try:
        with open("/proc/sys/net/ipv4/ip_local_port_range") as file:
            low, high = map(int, file.read().split())
    except (OSError, ValueError):
        return 28232
    return high - low + 1


def client(connections: int) -> list[str]:
    """Arguments of the load generator for so many: processes of it share
    the descriptors, source addresses the ports."""
    processes = -(-connections // (descriptors() - SPARE))
    sources = -(-connections // (ports() * 3 // 4))
    arguments: list[str] = []
    if processes > 1:
        arguments += ["--processes", str(processes)]
    if sources > 1:
        arguments += ["--source", "127.0.0.1", "--sources", str(sources)]
    return arguments


def why_skip(connections: int, processes: int) -> str:
    """A sentence if a server of so many processes cannot hold so many."""
    limit = descriptors()
    room = processes * (limit - SPARE)
    if connections <= room:
        return ""
    return (
        "skipped: %d connections need %d descriptors in the server, and %d "
        "process%s of at most %d have %d."
        % (
            connections,
            connections + SPARE * processes,
            processes,
            "" if processes == 1 else "es",
            limit,
            room,
        )
    )
