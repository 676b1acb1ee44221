"""What this machine cannot reach, said with the arithmetic."""

from __future__ import annotations

import resource
from typing import Any

from wsgibench.load import limits as load_limits

#: Descriptors that a server has open beside its connections.
SPARE = 64


def descriptors() -> int:
    return resource.getrlimit(resource.RLIMIT_NOFILE)[1]


def client(connections: int) -> dict[str, Any]:
    """Fields of LoadSpec for so many: processes of the generator share the
    descriptors, source addresses the ports."""
    processes = -(-connections // (descriptors() - SPARE))
    sources = load_limits.sources_for(connections, load_limits.read().ports)
    found: dict[str, Any] = {"processes": processes}
    if sources > 1:
        found.update(source="127.0.0.1", sources=sources)
    return found


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
