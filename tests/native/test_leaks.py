"""Nothing is left of a request: references, blocks of memory, descriptors,
resident pages, over thousands of requests of every kind."""

from __future__ import annotations

import gc
import os
import socket
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable

import pytest

Start = Callable[..., Any]

HEADERS = [("Content-Type", "text/plain"), ("X-A", "b" * 50)]
PAGE = b"a page that all answers share " * 4
#: No attribute of a class: CPython 3.11 miscounts None when one changes.
CLOSED = [0]


class Body:
    """With a close() that must be called."""

    def __init__(self, blocks: int) -> None:
        self._blocks = blocks

    def __iter__(self) -> Iterator[bytes]:
        for _ in range(self._blocks):
            yield PAGE

    def close(self) -> None:
        CLOSED[0] += 1


def application(environ: dict[str, Any], start_response: Any) -> Any:
    kind = environ["PATH_INFO"]
    if kind == "/raise":
        raise ValueError("on purpose")
    if kind == "/read":
        environ["wsgi.input"].read()
    elif kind == "/lines":
        list(environ["wsgi.input"])
    if kind == "/late":
        start_response("200 OK", HEADERS)
        try:
            raise ValueError("on purpose")
        except ValueError:
            start_response("500 Oh", HEADERS, sys.exc_info())
        return [PAGE]
    write = start_response("200 OK", HEADERS)
    if kind == "/write":
        write(PAGE)
        write(PAGE)
        return []
    if kind == "/file":
        file = tempfile.TemporaryFile()
        file.write(PAGE)
        file.seek(0)
        return environ["wsgi.file_wrapper"](file)
    if kind in ("/blocks", "/break"):
        return Body(3 if kind == "/blocks" else 300)
    if kind == "/bad":
        return [PAGE, "no bytes"]
    return [PAGE]


def message(method: bytes, path: bytes, rest: bytes = b"") -> bytes:
    return b"%s %s HTTP/1.1\r\nHost: a\r\n%s" % (method, path, rest or b"\r\n")


CHUNKED = (
    b"Transfer-Encoding: chunked\r\n\r\n5\r\nab\ncd\r\n1;x=y\r\ne\r\n"
    b"0\r\nT: v\r\n\r\n"
)
LENGTH = b"Content-Length: 5\r\nCookie: a=b\r\n\r\nab\ncd"
KEPT = [
    message(b"GET", b"/page?q=%20"),
    message(b"HEAD", b"/page"),
    message(b"POST", b"/read", LENGTH),
    message(b"POST", b"/lines", CHUNKED),
    message(b"POST", b"/page", CHUNKED),  # a body nobody reads
    message(b"GET", b"/blocks"),
    message(b"GET", b"/write"),
    message(b"GET", b"/late"),
    message(b"GET", b"/file"),
]
#: These end their connection.
LAST = [
    message(b"GET", b"/raise"),
    message(b"GET", b"/bad"),
    b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    message(b"POST", b"/read", b"Content-Length: 1x\r\n\r\n"),
    b"GET /page HTTP/1.0\r\n\r\n",
]


def connect(path: str) -> socket.socket:
    """By a unix socket: a binding may keep texts of TCP ports."""
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(30)
    client.connect(path)
    return client


def drain(client: socket.socket) -> bytes:
    data = b""
    while True:
        try:
            block = client.recv(65536)
        except ConnectionResetError:
            return data
        if not block:
            return data
        data += block


def round_of_everything(address: str) -> int:
    """How many requests that was."""
    count = 0
    for last in LAST:
        with connect(address) as client:
            client.sendall(b"".join(KEPT) + last)
            data = drain(client)
        assert data.count(b"HTTP/1.1 ") == len(KEPT) + 1
        count += len(KEPT) + 1
    for cut in (b"GET /pa", message(b"POST", b"/read", LENGTH)[:-3]):
        with connect(address) as client:
            client.sendall(cut)
    with connect(address) as client:
        client.sendall(message(b"GET", b"/break"))
        client.recv(100)
    return count + 3


def quiet(server: Any) -> None:
    """Until the server has let go of every connection."""
    until = time.monotonic() + 30
    while server.stats()["connections"] or server.stats()["busy"]:
        assert time.monotonic() < until, server.stats()
        time.sleep(0.01)
    gc.collect()
    gc.collect()


def resident() -> int:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def measure() -> dict[str, int]:
    seen = {
        "descriptors": len(os.listdir("/proc/self/fd")),
        "resident": resident(),
    }
    if hasattr(sys, "getrefcount") and hasattr(sys, "getallocatedblocks"):
        shared = (application, PAGE, HEADERS, HEADERS[0], Body, None, "200 OK")
        seen["references"] = sum(map(sys.getrefcount, shared))
        seen["objects"] = len(gc.get_objects())
        seen["blocks"] = sys.getallocatedblocks()
    return seen


def leaks(server: Any, path: str, rounds: int) -> None:
    """Three spans of so many rounds. What is left by one request of one kind
    in each round is left in every span; what comes and goes is not."""
    requests = 0
    for _ in range(20):  # free lists, memo and caches fill
        round_of_everything(path)
    quiet(server)
    seen = [measure()]
    for _ in range(3):
        for _ in range(rounds):
            requests += round_of_everything(path)
        quiet(server)
        seen.append(measure())
    for name in seen[0]:
        grown = [
            after[name] - before[name] for before, after in zip(seen, seen[1:])
        ]
        if name == "resident":
            # Allocators keep pages, and PyPy's compiler takes many at first.
            assert min(grown) < (1 << 20) + 8 * requests, (name, grown)
        else:
            # Fewer than there were is as wrong: it ends in use after free.
            assert min(grown) < rounds, (name, grown)
            assert max(grown) > -rounds, (name, grown)


@pytest.mark.parametrize("threads", [0, 2])
def test_nothing_is_left(
    serve_app: Start, threads: int, tmp_path: Path
) -> None:
    closed = CLOSED[0]
    path = str(tmp_path / "socket")
    server = serve_app(application, threads=threads, bind="unix:" + path)
    leaks(server, path, rounds=150)  # above what comes and goes: about 100
    assert CLOSED[0] - closed >= 3 * 150


@pytest.mark.slow
@pytest.mark.timeout(3000)
@pytest.mark.parametrize("threads", [0, 2])
def test_nothing_is_left_of_100_000(
    serve_app: Start, threads: int, tmp_path: Path
) -> None:
    path = str(tmp_path / "socket")
    server = serve_app(application, threads=threads, bind="unix:" + path)
    leaks(server, path, rounds=700)
