"""The null server's answer: the same bytes for everyone, but for what a
client must be told about its connection (RFC 9112, 9.3 and 9.6)."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from wsgibench import Server

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnull"


@pytest.fixture
def address() -> Iterator[tuple[str, int]]:
    server = Server(lambda environ, start_response: [], port=0)
    thread = threading.Thread(target=server.core.canned, args=[ANSWER])
    thread.start()
    yield server.address
    server.core.stop(0)
    thread.join(60)
    server.close()


def ask(address: tuple[str, int], raw: bytes, size: int) -> bytes:
    """What comes until the server closes, or until so many bytes."""
    answer = b""
    with socket.create_connection(address, 5) as client:
        client.sendall(raw)
        while len(answer) < size and (piece := client.recv(4096)):
            answer += piece
    return answer


def test_a_connection_that_stays(address: tuple[str, int]) -> None:
    raw = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
    assert ask(address, raw * 2, 2 * len(ANSWER)) == ANSWER * 2


@pytest.mark.parametrize(
    "raw",
    [
        b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        b"GET / HTTP/1.0\r\n\r\n",
    ],
)
def test_one_that_ends_is_told_so(
    address: tuple[str, int], raw: bytes
) -> None:
    told = ANSWER.replace(b"OK\r\n", b"OK\r\nConnection: close\r\n")
    assert ask(address, raw, 1 << 20) == told


def test_an_old_client_is_told_that_it_may_go_on(
    address: tuple[str, int],
) -> None:
    raw = b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"
    told = ANSWER.replace(b"OK\r\n", b"OK\r\nConnection: keep-alive\r\n")
    assert ask(address, raw * 2, 2 * len(told)) == told * 2
