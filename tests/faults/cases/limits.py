"""Messages without an end are refused in time, at a bounded cost."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Iterator
from typing import Any

from tests.faults.case import APP, Start, address_of, answers, warm
from tests.faults.figure import Figure, least, most
from tests.faults.measure import MIB, memory

HELP = "endless lines, fields, extensions and trailers: refused within 1 s"
SMALL: dict[str, Any] = {"times": 3}
FULL: dict[str, Any] = {"times": 20}

CHUNKED = b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"
#: name -> (first bytes, what is repeated, statuses that are right)
ENDLESS: dict[str, tuple[bytes, bytes, set[int]]] = {
    "request line": (b"GET /", b"x" * 4096, {414, 400}),
    "no line end": (b"", b"x" * 4096, {414, 400}),
    "field value": (
        b"GET / HTTP/1.1\r\nHost: a\r\nX: ",
        b"y" * 4096,
        {431, 400},
    ),
    "field name": (
        b"GET / HTTP/1.1\r\nHost: a\r\n",
        b"y" * 4096,
        {431, 400},
    ),
    "fields": (
        b"GET / HTTP/1.1\r\nHost: a\r\n",
        b"X-Field: some text\r\n" * 100,
        {431, 400},
    ),
    "length": (
        b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999\r\n"
        b"\r\n",
        b"z" * 4096,
        {413},
    ),
    "chunk extension": (
        CHUNKED + b"\r\n5;a=",
        b"e" * 4096,
        {400, 413, 431},
    ),
    "chunk size": (CHUNKED + b"\r\n", b"0" * 4096, {400, 413}),
    "trailers": (
        CHUNKED + b"\r\n1\r\nx\r\n0\r\n",
        b"X-Trailer: more\r\n" * 100,
        {400, 413, 431},
    ),
    "chunks": (CHUNKED + b"\r\n", b"1000\r\n%b\r\n" % (b"c" * 4096), {413}),
}


def status_of(data: bytes) -> int:
    return int(data[9:12]) if data[:7] == b"HTTP/1." else 0


def pour(
    address: tuple[str, int], first: bytes, more: bytes
) -> tuple[int, float]:
    """Send until refused: (status, seconds until it came)."""
    data = b""
    began = time.monotonic()
    reset = contextlib.suppress(ConnectionResetError)
    with socket.create_connection(address, 30) as sock, reset:
        sock.setblocking(False)
        unsent = first
        while time.monotonic() - began < 20:
            with contextlib.suppress(BlockingIOError, BrokenPipeError):
                unsent = unsent[sock.send(unsent) :] or more
            try:
                piece = sock.recv(4096)
            except BlockingIOError:
                continue
            data += piece
            if not piece or b"\r\n\r\n" in data:
                break
    return status_of(data), time.monotonic() - began


def run(start: Start, times: int) -> Iterator[Figure]:
    settings = {"max_body": 1 << 24, "body_memory": 1 << 16}
    with start(APP, **settings) as target:
        warm(target)
        address = address_of(target)
        for name, (first, more, right) in ENDLESS.items():
            before = memory(target.pid)
            good, longest = 0, 0.0
            for _ in range(times):
                status, took = pour(address, first, more)
                good += status in right
                longest = max(longest, took)
            grown = (memory(target.pid) - before) / MIB
            yield least("%s: refused rightly" % name, good, times)
            yield most("%s: longest until then" % name, longest, 1, "s")
            yield most("%s: memory" % name, grown, 1, "MiB")
        assert answers(target)
