"""The dialogue of Expect: 100-continue, RFC 9110 10.1.1."""

from __future__ import annotations

import contextlib
import json
import socket
from collections.abc import Iterator
from typing import Any, Callable

import pytest

from tests.wire.target import Target, receive_all
from wsgibench.audit.wire.exchange import connect
from wsgibench.audit.wire.responses import finals, parse_all

INTERIM = b"HTTP/1.1 100 Continue\r\n\r\n"
CLOSE = b"Connection: close\r\n"


@pytest.fixture(scope="module", params=[0, 4], ids=["loop", "threads"])
def target(
    request: pytest.FixtureRequest, start_target: Callable[..., Any]
) -> Iterator[Target]:
    with start_target(
        "wsgibench_audit:application", threads=request.param
    ) as t:
        yield t


@pytest.fixture
def sock(target: Target) -> Iterator[socket.socket]:
    with contextlib.closing(connect(target.address)) as opened:
        yield opened


def head(path: str, framing: bytes, version: bytes = b"HTTP/1.1") -> bytes:
    line = b"POST %s %s\r\nHost: a\r\nExpect: 100-continue\r\n"
    return line % (path.encode(), version) + framing + b"\r\n"


def take(sock: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        piece = sock.recv(size - len(data))
        if not piece:
            break
        data += piece
    return data


def body_of(data: bytes) -> str:
    answers = parse_all(data)
    assert [r.status for r in answers] == [200]
    return str(json.loads(answers[0].body)["body"])


@pytest.mark.parametrize(
    ("framing", "wire"),
    [
        (b"Content-Length: 5\r\n", b"hello"),
        (b"Transfer-Encoding: chunked\r\n", b"5\r\nhello\r\n0\r\n\r\n"),
    ],
    ids=["length", "chunked"],
)
def test_sent_before_the_body(
    sock: socket.socket, framing: bytes, wire: bytes
) -> None:
    sock.sendall(head("/", framing + CLOSE))
    assert take(sock, len(INTERIM)) == INTERIM
    sock.sendall(wire)
    assert body_of(receive_all(sock)) == "hello"


def test_sent_once_and_the_connection_goes_on(sock: socket.socket) -> None:
    for close in (b"", b"", CLOSE):
        sock.sendall(head("/", b"Content-Length: 5\r\n" + close))
        assert take(sock, len(INTERIM)) == INTERIM
        sock.sendall(b"hello")
        if close:
            assert body_of(receive_all(sock)) == "hello"
        else:
            data = b""
            while not data.endswith(b'"hello"}'):
                piece = sock.recv(65536)
                assert piece
                data += piece
            assert INTERIM not in data


def test_not_sent_to_http_1_0(sock: socket.socket) -> None:
    """RFC 9110 10.1.1: MUST ignore the expectation."""
    sock.sendall(head("/", b"Content-Length: 5\r\n", b"HTTP/1.0"))
    sock.sendall(b"hello")
    assert body_of(receive_all(sock)) == "hello"


def test_not_needed_once_the_body_comes(sock: socket.socket) -> None:
    sock.sendall(head("/", b"Content-Length: 5\r\n" + CLOSE) + b"hello")
    statuses = [r.status for r in parse_all(receive_all(sock))]
    assert statuses in ([200], [100, 200])


def test_not_sent_for_an_empty_body(sock: socket.socket) -> None:
    sock.sendall(head("/", b"Content-Length: 0\r\n" + CLOSE))
    assert body_of(receive_all(sock)) == ""


def test_body_nobody_reads_is_no_request(sock: socket.socket) -> None:
    """It is asked for before the application is called, whatever that does
    with it."""
    sock.sendall(head("/unread", b"Content-Length: 68\r\n"))
    assert take(sock, len(INTERIM)) == INTERIM
    smuggled = (
        b"GET /smuggled HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    )
    sock.sendall(smuggled.ljust(68, b" "))
    sock.shutdown(socket.SHUT_WR)
    data = receive_all(sock)
    assert finals(parse_all(data))[0].status == 200
    assert b"/smuggled" not in data


def test_client_that_stops_holds_up_nobody(
    target: Target, sock: socket.socket
) -> None:
    sock.sendall(head("/", b"Content-Length: 100000\r\n"))
    assert take(sock, len(INTERIM)) == INTERIM
    sock.sendall(b"ten bytes.")
    assert target.json("/calls")["count"] >= 0


def test_chunked_body_has_its_length(sock: socket.socket) -> None:
    sock.sendall(head("/", b"Transfer-Encoding: chunked\r\n" + CLOSE))
    assert take(sock, len(INTERIM)) == INTERIM
    sock.sendall(b"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n")
    seen = json.loads(finals(parse_all(receive_all(sock)))[0].body)
    assert seen["body"] == "hello world"
    assert seen["environ"]["CONTENT_LENGTH"] == "11"


def test_too_large_is_refused_before_the_body(sock: socket.socket) -> None:
    sock.sendall(head("/", b"Content-Length: 1000000000000\r\n"))
    assert [r.status for r in parse_all(receive_all(sock))] == [413]


def test_bad_framing_is_refused_before_the_body(sock: socket.socket) -> None:
    sock.sendall(head("/", b"Content-Length: 5\r\nContent-Length: 6\r\n"))
    assert [r.status for r in parse_all(receive_all(sock))] == [400]
