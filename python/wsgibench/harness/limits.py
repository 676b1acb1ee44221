"""What this machine cannot reach, said with the arithmetic."""

from __future__ import annotations

import resource

from wsgibench.load import limits as load_limits

#: Descriptors that a server has open beside its connections.
SPARE = 64


def descriptors() -> int:
    return resource.getrlimit(resource.RLIMIT_NOFILE)[1]


def client(connections: int) -> list[str]:
    """Arguments of the load generator for so many: processes of it share
    the descriptors, source addresses the ports."""
    processes = -(-connections // (descriptors() - SPARE))
    sources = load_limits.sources_for(connections, load_limits.read().ports)
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
