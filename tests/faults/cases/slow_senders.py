"""10,000 slow senders must not slow down 64 ordinary clients."""

from __future__ import annotations

import statistics
import threading
from collections.abc import Iterator
from typing import Any

from tests.faults.case import APP, Start, address_of, answers
from tests.faults.figure import Figure, least
from tests.faults.measure import room_for_descriptors
from tests.faults.swarm import Swarm
from wsgibench.load.run import run as run_load
from wsgibench.load.spec import LoadSpec

HELP = "10,000 slow senders: 64 ordinary clients keep 90 % of their rate"
#: Small, it is about being served at all: a rate needs a quiet machine.
SMALL: dict[str, Any] = {
    "senders": 500,
    "pairs": 1,
    "seconds": 1.0,
    "share": 0.1,
}
FULL: dict[str, Any] = {
    "senders": 10000,
    "pairs": 5,
    "seconds": 3.0,
    "share": 0.9,
}
#: Each sends a byte so often (seconds): 2,000 bytes a second in all.
GAP = 5.0
SLICES = 100
BYTE = b"y"
HEAD = b"GET / HTTP/1.1\r\nHost: a\r\nX-Slow: "
BODY = b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 9999\r\n\r\n"


class Senders:
    """They send from a thread of their own while the block lasts."""

    def __init__(self, address: tuple[str, int], count: int) -> None:
        self.swarm = Swarm(address)
        self.clients = self.swarm.open(count // 2, HEAD)
        self.clients += self.swarm.open(count - count // 2, BODY)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._send, daemon=True)

    def _send(self) -> None:
        number = 0
        while not self._over.is_set():
            for client in self.clients[number % SLICES :: SLICES]:
                client.send(BYTE)
            number += 1
            self._over.wait(GAP / SLICES)

    def __enter__(self) -> Senders:
        self._thread.start()
        return self

    def __exit__(self, *unused: object) -> None:
        self._over.set()
        self._thread.join()
        self.swarm.__exit__()


def rate(address: tuple[str, int], seconds: float) -> tuple[float, int]:
    """(answers a second, lost)"""
    spec = LoadSpec(
        "http://%s:%d/" % address,
        connections=64,
        duration=seconds,
        expect_body=b"Hello",
    )
    result = run_load(spec)
    lost = sum(
        n
        for kind, n in result["classes"].items()
        if kind not in ("ok", "unsent", "in_flight")
    )
    return result["goodput"], lost


def run(
    start: Start, senders: int, pairs: int, seconds: float, share: float
) -> Iterator[Figure]:
    room = room_for_descriptors(senders + 400)
    yield least("senders that the limit allows", room - 400, senders)
    ratios, lost = [], 0
    # Without a quantum, only for the time of the run, all of them may stay.
    with start(APP, head_timeout=600, body_timeout=600) as target:
        assert answers(target)
        address = address_of(target)
        rate(address, seconds)  # warm
        for _ in range(pairs):
            alone, lost_alone = rate(address, seconds)
            with Senders(address, senders) as slow:
                beside, lost_beside = rate(address, seconds)
                gone = sum(c.ended is not None for c in slow.clients)
                yield least("senders at the end", senders - gone, senders)
            ratios.append(beside / alone)
            lost += lost_alone + lost_beside
    yield least(
        "share of the rate (median)", statistics.median(ratios), share, "x"
    )
    yield least("answers lost, less than", -lost, 0)
