"""How long requests waited for the application, and how long they took."""

from __future__ import annotations

import socket
import threading
import time
from typing import Any, Callable

import pytest

from tests.native.process import until

Start = Callable[..., Any]
RAW = b"GET /%s HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"


class Gate:
    """An application: "/wait" ends when it is let go."""

    def __init__(self) -> None:
        self.entered = threading.Event()
        self.leave = threading.Event()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        if environ["PATH_INFO"] == "/wait":
            self.entered.set()
            assert self.leave.wait(30)
        start_response(
            "404 No" if "no" in environ["PATH_INFO"] else "200 OK", []
        )
        return [b"x"]


def connect(server: Any, path: bytes) -> socket.socket:
    sock = socket.create_connection(server.address, 30)
    sock.sendall(RAW % path)
    return sock


def read_all(sock: socket.socket) -> bytes:
    data = b""
    with sock:
        while True:
            piece = sock.recv(65536)
            if not piece:
                return data
            data += piece


def counted(server: Any, answers: int) -> dict[str, Any]:
    """What there is to tell once so many answers are counted, which they are
    a little after their clients have them."""
    until(
        lambda: sum(server.core.metrics()["statuses"]) >= answers,
        "they are not counted",
    )
    metrics: dict[str, Any] = server.core.metrics()
    return metrics


def above(metrics: dict[str, Any], us: int) -> int:
    """Requests that waited longer than this bound."""
    first = metrics["bounds_us"].index(us) + 1
    return sum(metrics["queue"][first:])


@pytest.mark.parametrize("threads", [0, 1])
def test_a_request_behind_a_slow_one(serve_app: Start, threads: int) -> None:
    """With threads=0 it waits in the kernel: the loop does not turn."""
    gate = Gate()
    server = serve_app(gate, threads=threads, measure=1)
    began = time.monotonic()
    slow = connect(server, b"wait")
    assert gate.entered.wait(30)
    entered = time.monotonic() - began
    quick = connect(server, b"quick")
    let_go = threading.Timer(0.4, gate.leave.set)
    let_go.start()
    assert read_all(slow).startswith(b"HTTP/1.1 200 ")
    assert read_all(quick).startswith(b"HTTP/1.1 200 ")
    let_go.join()
    metrics = counted(server, 2)
    assert sum(metrics["queue"]) == 2
    # The slow one waited, too, where the machine had no time for it.
    assert above(metrics, 100000) == 1 or entered > 0.1
    assert metrics["queue_us"] > 100000


def test_what_was_answered_by_status(serve_app: Start) -> None:
    server = serve_app(Gate(), measure=1)
    for path in (b"a", b"no", b"b"):
        read_all(connect(server, path))
    with socket.create_connection(server.address, 30) as sock:
        sock.sendall(b"nonsense\r\n\r\n")
        assert sock.recv(100).startswith(b"HTTP/1.1 400 ")
    metrics = counted(server, 4)
    assert [sum(row) for row in metrics["duration"]] == [0, 0, 2, 0, 1, 0]
    statuses = metrics["statuses"]
    assert (statuses[100], statuses[304], statuses[300]) == (2, 1, 1)
    assert sum(statuses) == 4
    assert sum(metrics["duration_us"]) >= metrics["queue_us"]


def test_clocks_are_not_read_unasked(serve_app: Start) -> None:
    server = serve_app(Gate())
    read_all(connect(server, b"a"))
    metrics = server.core.metrics()
    assert sum(metrics["queue"]) == sum(metrics["statuses"]) == 0
