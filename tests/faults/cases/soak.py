"""Long mixed work: memory and descriptors stay where they are."""

from __future__ import annotations

import random
import socket
from collections.abc import Iterator
from typing import Any

from tests.faults.case import APP, Start, address_of, answers, warm
from tests.faults.cases.chaos import settled, vanish
from tests.faults.figure import Figure, least, most
from tests.faults.measure import descriptors, memory
from tests.native.process import until
from tests.wire.target import Target, receive_all
from wsgibench.load.run import run as run_load
from wsgibench.load.spec import LoadSpec

HELP = "mixed requests, errors and disconnects: flat memory"
#: 10 million at full size.
SMALL: dict[str, Any] = {"requests": 20_000, "rounds": 5}
FULL: dict[str, Any] = {"requests": 10_000_000, "rounds": 40}
KINDS: tuple[dict[str, Any], ...] = (
    {"expect_body": b"Hello"},
    {"headers": "browser", "expect_body": b"Hello"},
    {"pipeline": 8},
    {"keepalive": False},
    {"method": "POST", "path": "echo", "body": b"b" * 5000},
    {"method": "POST", "path": "echo", "body": b"c" * 300, "chunk": 100},
    {"path": "stream?size=100000"},
    {"path": "raise", "expect_status": 500},
    {"method": "HEAD"},
    {"http10": True},
)
RAW = (
    b"GET / HTTP/1.1\r\n\r\n",  # no Host: 400
    b"BAD\r\n\r\n",
    b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nz",
    b"GET /%s HTTP/1.1\r\nHost: a\r\nX-%s: y\r\nConnection: close\r\n\r\n",
)


def refuse_and_vanish(address: tuple[str, int], count: int) -> None:
    rng = random.Random(count)
    for number in range(count):
        raw = rng.choice(RAW)
        if b"%s" in raw:  # never seen before: the memo turns over
            raw %= (b"%d" % number, b"%d" % number)
        if number % 3:
            vanish(address, raw[: rng.randrange(len(raw))], "rst")
        else:
            with socket.create_connection(address, 30) as sock:
                sock.sendall(raw)
                receive_all(sock)


def one_round(target: Target, requests: int) -> int:
    host, port = address_of(target)
    done = 0
    for kind in KINDS:
        options = dict(kind)
        path = options.pop("path", "")
        result = run_load(
            LoadSpec(
                "http://%s:%d/%s" % (host, port, path),
                connections=16,
                duration=3600.0,
                requests=requests // len(KINDS),
                timeout=30.0,
                **options,
            )
        )
        bad = {
            kind: n
            for kind, n in result["classes"].items()
            if n and kind not in ("ok", "unsent")
        }
        assert not bad, (kind, bad)
        done += result["classes"]["ok"]
    refuse_and_vanish((host, port), min(2000, requests // 10))
    return done


def slope(points: list[tuple[int, int]]) -> float:
    """Of a straight line through them (least squares)."""
    n = len(points)
    mean_x = sum(x for x, _ in points) / n
    mean_y = sum(y for _, y in points) / n
    over = sum((x - mean_x) * (y - mean_y) for x, y in points)
    return over / sum((x - mean_x) ** 2 for x, _ in points)


def run(start: Start, requests: int, rounds: int) -> Iterator[Figure]:
    with start(APP) as target:
        each = requests // rounds
        warm(target)
        one_round(target, max(each, 20_000))
        points: list[tuple[int, int]] = []
        files = descriptors(target.pid)
        done = 0
        for _ in range(rounds):
            done += one_round(target, each)
            until(lambda: settled(target), "connections are left")
            points.append((done, memory(target.pid)))
        yield least("requests", done, 0.98 * requests)
        # Where the runs are short, a page more or less is the slope.
        noise = 16 * 4096 * rounds / requests
        yield most("bytes per request", slope(points), max(1.0, noise))
        more = descriptors(target.pid) - files
        yield most("descriptors more", more, 1)
        yield least("alive", float(answers(target)), 1)
