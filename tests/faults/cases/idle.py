"""Idle connections cost next to nothing, and slow nobody down."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from typing import Any

from tests.faults.case import APP, Start, address_of, warm
from tests.faults.figure import Figure, least, most
from tests.faults.measure import memory, room_for_descriptors
from tests.faults.swarm import GET, Client, Swarm

HELP = "10,000 idle keep-alive connections at 1 KiB each"
SMALL: dict[str, Any] = {"connections": 2000}
FULL: dict[str, Any] = {"connections": 10000}


def run(start: Start, connections: int) -> Iterator[Figure]:
    room = room_for_descriptors(connections + 200)
    count = min(connections, room - 200)
    yield least("connections that the limit allows", count, connections)
    with start(APP, idle_timeout=600, head_timeout=600) as target:
        warm(target)
        for kind, first in (("silent", b""), ("keep-alive", GET)):
            with Swarm(address_of(target)) as swarm:
                before = memory(target.pid)
                swarm.open(count, first)
                if first:
                    swarm.until(lambda: swarm.answered(swarm.clients))
                target.get("/")  # behind all that connected before
                each = (memory(target.pid) - before) / count
                yield most("bytes per %s connection" % kind, each, 1024)
                alive = sum(client.ended is None for client in swarm.clients)
                yield least("%s connections alive" % kind, alive, count)
                yield from ask_some(swarm, kind)


def ask(swarm: Swarm, client: Client) -> bool:
    had = len(client.data)
    client.send(GET)
    return swarm.until(lambda: len(client.data) > had, 10)


def ask_some(swarm: Swarm, kind: str) -> Iterator[Figure]:
    chosen = random.Random(1).sample(swarm.clients, 100)
    served, slowest = 0, 0.0
    for client in chosen:
        began = time.monotonic()
        served += ask(swarm, client)
        slowest = max(slowest, time.monotonic() - began)
    yield least("of 100 of them, served again (%s)" % kind, served, 100)
    yield most("slowest of these answers (%s)" % kind, slowest, 1.0, "s")
