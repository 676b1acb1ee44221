"""Bodies that come too slowly are cut, and hold no thread meanwhile."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from tests.faults.case import APP, Start, address_of, answers
from tests.faults.figure import Figure, least, most
from tests.faults.swarm import Swarm

HELP = "bodies at a byte per interval: cut in time, no thread held"
SMALL: dict[str, Any] = {"connections": 60, "interval": 0.1, "deadline": 1.0}
FULL: dict[str, Any] = {"connections": 200, "interval": 5, "deadline": 30.0}
HEADS = (
    b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n",
    b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
)


def run(
    start: Start, connections: int, interval: float, deadline: float
) -> Iterator[Figure]:
    # One thread: a single body that held it would stop everything.
    for threads in (0, 1):
        with start(APP, body_timeout=deadline, threads=threads) as target:
            assert answers(target)
            with Swarm(address_of(target)) as swarm:
                half = connections // 2
                clients = swarm.open(half, HEADS[0])
                clients += swarm.open(half, HEADS[1])
                served = 0
                while any(client.ended is None for client in clients):
                    if time.monotonic() - clients[0].opened > deadline + 20:
                        break
                    for client in clients[:half]:
                        client.send(b"x")
                    for client in clients[half:]:
                        client.send(b"1\r\nx\r\n")
                    served += answers(target)
                    due = time.monotonic() + interval
                    while time.monotonic() < due:
                        swarm.turn(max(0.0, due - time.monotonic()))
                lives = [(c.ended or 1e9) - c.opened for c in clients]
                told = sum(client.status in (0, 408) for client in clients)
            where = " (threads=%d)" % threads
            yield most("longest life" + where, max(lives), deadline + 2, "s")
            yield least("cut or 408" + where, told, len(clients))
            yield least("served meanwhile" + where, served, 2)
