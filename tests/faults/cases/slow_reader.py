"""A client that reads slowly, or not at all, costs a bounded buffer: the
application is paused, not its bytes kept."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from typing import Any

from tests.faults.case import APP, Start, address_of, answers, warm
from tests.faults.figure import Figure, least, most
from tests.faults.measure import MIB, memory
from tests.faults.swarm import Swarm

HELP = "a 1 GiB stream read at 1 KiB/s, and streams that nobody reads"
SMALL: dict[str, Any] = {"seconds": 3, "size": 1 << 28, "stalled": 20}
FULL: dict[str, Any] = {"seconds": 60, "size": 1 << 30, "stalled": 200}
RATE = 1024  # bytes a second
TURNS = 10  # reads a second


def request(size: int) -> bytes:
    return b"GET /stream?size=%d HTTP/1.1\r\nHost: a\r\n\r\n" % size


def one_reader(
    start: Start, threads: int, seconds: float, size: int
) -> Iterator[Figure]:
    with start(APP, threads=threads, write_timeout=60) as target:
        warm(target)
        for _ in range(20):
            target.get("/stream?size=1000000")
        before = memory(target.pid)
        most_used = before
        read = 0
        with socket.create_connection(address_of(target), 30) as sock:
            sock.sendall(request(size))
            for _ in range(int(seconds * TURNS)):
                read += len(sock.recv(RATE // TURNS))
                most_used = max(most_used, memory(target.pid))
                time.sleep(1 / TURNS)  # this is the rate, not a wait
            assert answers(target)
            produced = int(target.get("/produced").body)
        where = " (threads=%d)" % threads
        yield least("bytes read" + where, read, 0.5 * RATE * seconds)
        yield most(
            "memory grown" + where, (most_used - before) / MIB, 4, "MiB"
        )
        # Socket buffers of both sides, and ours.
        yield most("produced" + where, produced / MIB, 20, "MiB")


def run(
    start: Start, seconds: float, size: int, stalled: int
) -> Iterator[Figure]:
    for threads in (0, 4):
        yield from one_reader(start, threads, seconds, size)
    with start(APP, write_timeout=2) as target:
        warm(target)
        for _ in range(20):
            target.get("/stream?size=1000000")
        before = memory(target.pid)
        with Swarm(address_of(target)) as swarm:
            # They never turn: nothing is read.
            swarm.open(stalled, request(100 * MIB))
            assert answers(target)
            grown = memory(target.pid) - before
            yield most(
                "memory per stalled reader", grown / stalled / MIB, 1.1, "MiB"
            )
            closed = 0
            end = time.monotonic() + 60
            while closed < stalled and time.monotonic() < end:
                closed = int(target.get("/closed").body) - 20
                time.sleep(0.05)  # polls
            yield least("cut by the write deadline", closed, stalled)
