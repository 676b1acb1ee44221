"""Slowloris: heads that come a byte at a time are cut by the deadline of
the whole head, and hold up nobody."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from tests.faults.case import APP, Start, address_of, answers
from tests.faults.figure import Figure, least, most
from tests.faults.swarm import Swarm

HELP = "heads at a byte per interval: cut in time, others served"
SMALL: dict[str, Any] = {"connections": 100, "interval": 0.1, "deadline": 1.0}
FULL: dict[str, Any] = {"connections": 500, "interval": 5, "deadline": 10.0}
TRICKLE = b"GET / HTTP/1.1\r\nHost: a\r\nX-Long: " + b"y" * 10000


def run(
    start: Start, connections: int, interval: float, deadline: float
) -> Iterator[Figure]:
    with start(APP, head_timeout=deadline) as target:
        assert answers(target)
        slowest = 0.0
        with Swarm(address_of(target)) as swarm:
            clients = swarm.open(connections)
            sent = 0
            while any(client.ended is None for client in clients):
                if time.monotonic() - clients[0].opened > deadline + 20:
                    break
                byte = TRICKLE[sent : sent + 1]
                sent += 1
                for client in clients:
                    if client.ended is None:
                        client.send(byte)
                began = time.monotonic()
                assert answers(target)
                slowest = max(slowest, time.monotonic() - began)
                due = time.monotonic() + interval
                while time.monotonic() < due:
                    swarm.turn(max(0.0, due - time.monotonic()))
            lives = [(c.ended or 1e9) - c.opened for c in clients]
            told = sum(client.status in (0, 408) for client in clients)
            yield most("longest life of a head", max(lives), deadline + 2, "s")
            yield least("shortest", min(lives), deadline * 0.9, "s")
            yield least("closed or answered 408", told, connections)
        yield most("slowest answer to another client", slowest, deadline, "s")
