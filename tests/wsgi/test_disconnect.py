"""Clients that leave, and clients that do not read."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from typing import Any

import pytest

from tests.wsgi.app import note, plain
from tests.wsgi.client import Client, request
from wsgibench.audit.wire.exchange import connect

TEXT = ("Content-Type", "text/plain")
LIMIT = 50 << 20  # bytes an application may be asked for in vain


def upload(environ: dict[str, Any], start_response: Any) -> Any:
    try:
        body = environ["wsgi.input"].read()
    except Exception as error:
        note("upload", type(error).__name__)
        raise
    note("upload", len(body))
    return plain(start_response, b"got it")


def endless(environ: dict[str, Any], start_response: Any) -> Iterator[bytes]:
    start_response("200 OK", [TEXT])
    sent = 0
    try:
        while sent < 4 * LIMIT:
            yield b"x" * 65536
            sent += 65536
        note("exhausted", sent)
    finally:
        note("closed", sent)


def endless_length(
    environ: dict[str, Any], start_response: Any
) -> Iterator[bytes]:
    start_response("200 OK", [TEXT, ("Content-Length", str(4 * LIMIT))])
    sent = 0
    try:
        while sent < 4 * LIMIT:
            yield b"x" * 65536
            sent += 65536
    finally:
        note("closed", sent)


def written(environ: dict[str, Any], start_response: Any) -> Any:
    write = start_response("200 OK", [TEXT])
    sent = 0
    try:
        while sent < 4 * LIMIT:
            write(b"x" * 65536)
            sent += 65536
    finally:
        note("closed", sent)
    return []


def healthy(client: Client) -> bool:
    return client.ask(upload, method="POST", body=b"abc").body == b"got it"


def reset(sock: socket.socket) -> None:
    linger = struct.pack("ii", 1, 0)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    sock.close()


def start(client: Client, app: Any) -> socket.socket:
    """Asks, and reads the beginning of the answer."""
    sock = connect(client.target.address)
    sock.sendall(request(app))
    assert sock.recv(1000).startswith(b"HTTP/1.1 200")
    return sock


@pytest.mark.parametrize("how", ["close", "reset", "half-close"])
@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_in_the_middle_of_an_upload(
    client: Client, framing: str, how: str
) -> None:
    head = {
        "length": b"Content-Length: 100000\r\n\r\n",
        "chunked": b"Transfer-Encoding: chunked\r\n\r\n186a0\r\n",
    }[framing]
    with client.connection() as sock:
        path = b"POST /test_disconnect/upload HTTP/1.1\r\nHost: a\r\n"
        sock.sendall(path + head + b"x" * 50000)
        if how == "reset":
            reset(sock)
        elif how == "half-close":
            sock.shutdown(socket.SHUT_WR)
            assert b"got it" not in client.read_all(sock)
    assert healthy(client)
    sizes = [entry[1] for entry in client.notes() if entry[0] == "upload"]
    assert 100000 not in sizes
    assert sizes[-1] == 3


@pytest.mark.parametrize("app", [endless, endless_length, written])
@pytest.mark.parametrize("how", ["close", "reset"])
def test_in_the_middle_of_a_download(
    client: Client, app: Any, how: str
) -> None:
    for _ in range(5):
        sock = start(client, app)
        reset(sock) if how == "reset" else sock.close()
    assert client.wait_note("closed")[1] < 4 * LIMIT
    assert healthy(client)


def test_before_the_answer(client: Client) -> None:
    for _ in range(20):
        sock = connect(client.target.address)
        sock.sendall(request(endless))
        reset(sock)
    assert healthy(client)


def test_back_pressure(client: Client) -> None:
    """Clients that read nothing: the applications pause, and the write
    deadline (6 s here) ends them. Without threads a write() holds up the
    others, so that it comes last."""
    apps = (endless, endless_length, written)
    socks = [start(client, app) for app in apps]
    notes = client.notes(len(apps), within=60.0)
    for sock in socks:
        sock.close()
    assert [name for name, _ in notes] == ["closed"] * len(apps)
    assert all(sent <= LIMIT for _, sent in notes)
    assert healthy(client)


def test_others_are_served_meanwhile(client: Client) -> None:
    socks = [start(client, endless) for _ in range(3)]
    for _ in range(10):
        assert healthy(client)
    for sock in socks:
        sock.close()
