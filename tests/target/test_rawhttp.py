"""HTTP by hand: heads that arrive in pieces and together."""

from __future__ import annotations

import importlib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest

BODY = b"the page"


@contextmanager
def conversation() -> Iterator[socket.socket]:
    rawhttp = importlib.import_module("wsgibench_target.rawhttp")
    work: Any = SimpleNamespace(run=lambda: BODY, content_type="text/plain")
    page = rawhttp.Page(work, {"log": True})
    here, there = socket.socketpair()

    def serve() -> None:
        with there:
            rawhttp.converse(page, there.recv, there.sendall, "127.0.0.1")

    thread = threading.Thread(target=serve)
    thread.start()
    here.settimeout(60)
    with here:
        yield here
    thread.join(60)
    assert not thread.is_alive()


def all_of(client: socket.socket) -> bytes:
    client.shutdown(socket.SHUT_WR)
    blocks = []
    while block := client.recv(65536):
        blocks.append(block)
    return b"".join(blocks)


REQUEST = b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n"


def test_pieces() -> None:
    with conversation() as client:
        for byte in REQUEST:
            client.sendall(bytes([byte]))
        answer = all_of(client)
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"Content-Length: %d\r\n" % len(BODY) in answer
    assert answer.endswith(b"\r\n\r\n" + BODY)


def test_several_at_once() -> None:
    with conversation() as client:
        client.sendall(REQUEST * 3)
        answer = all_of(client)
    assert answer.count(b"HTTP/1.1 200 OK") == 3


@pytest.mark.parametrize(
    ("request_head", "stays"),
    [
        (REQUEST, True),
        (b"GET / HTTP/1.1\r\nConnection: Close\r\n\r\n", False),
        (b"GET / HTTP/1.0\r\n\r\n", False),
        (b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", True),
    ],
)
def test_who_stays(request_head: bytes, stays: bool) -> None:
    with conversation() as client:
        client.sendall(request_head + REQUEST)
        answer = all_of(client)
    assert answer.count(b" 200 OK") == (2 if stays else 1)
    token = b"keep-alive" if stays else b"close"
    assert b"Connection: %s\r\n" % token in answer


def test_what_is_no_request() -> None:
    with conversation() as client:
        client.sendall(b"HELO there\r\n\r\n")
        assert all_of(client) == b"HTTP/1.1 400 Bad Request\r\n\r\n"
