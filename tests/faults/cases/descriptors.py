"""Out of descriptors: no spinning, no end, and normal work when there are
some again."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from tests.faults.case import Start, address_of, answers
from tests.faults.figure import Figure, least, most
from tests.faults.measure import cpu
from tests.faults.swarm import GET, Client, Swarm

HELP = "64 descriptors, 120 connections: below 5 % CPU, well again in 1 s"
SMALL: dict[str, Any] = {"seconds": 3.0}
FULL: dict[str, Any] = {"seconds": 20.0}
LIMITED = "tests.faults.cases.descriptors:limited"


def limited(environ: dict[str, Any], start_response: Any) -> Any:
    """In the server, from its first request on: its own files are open."""
    import resource

    from tests.faults.app import application

    if resource.getrlimit(resource.RLIMIT_NOFILE) != (64, 64):
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
    return application(environ, start_response)


def some_answered(swarm: Swarm, clients: list[Client]) -> bool:
    return swarm.until(lambda: sum(bool(c.data) for c in clients) > 20)


def run(start: Start, seconds: float) -> Iterator[Figure]:
    for threads in (0, 2):
        where = " (threads=%d)" % threads
        with start(LIMITED, threads=threads) as target:
            assert answers(target)
            with Swarm(address_of(target)) as swarm:
                clients = swarm.open(120, GET)
                some_answered(swarm, clients)
                spent, began = cpu(target.pid), time.monotonic()
                swarm.until(lambda: False, seconds)
                took = time.monotonic() - began
                share = 100 * (cpu(target.pid) - spent) / took
                served = [client for client in clients if client.data]
                yield most("CPU while full" + where, share, 5, "%")
                yield most("served while full" + where, len(served), 64)
                for client in served:
                    swarm.leave(client)
                began = time.monotonic()
                some_answered(swarm, list(swarm.clients))
                took = time.monotonic() - began
                name = "until the waiting are served" + where
                yield most(name, took, 1, "s")
            yield least("alive" + where, float(answers(target)), 1)
