"""What an application may return, and how its body is framed."""

from __future__ import annotations

import array
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.wsgi.app import note
from tests.wsgi.client import Client, request

TEXT = ("Content-Type", "text/plain")


class OldStyle:
    """Only __getitem__: iter() takes it, so PEP 3333 allows it."""

    def __getitem__(self, index: int) -> bytes:
        return [b"ab", b"cd"][index]


class Custom:
    def __iter__(self) -> Iterator[bytes]:
        return iter([b"ab", b"cd"])


class Lying(list):  # type: ignore[type-arg]
    """len() is the number of parts, not of bytes."""


KINDS: dict[str, Any] = {
    "list": lambda: [b"ab", b"cd"],
    "tuple": lambda: (b"ab", b"cd"),
    "generator": lambda: (part for part in [b"ab", b"cd"]),
    "iterator": lambda: iter([b"ab", b"cd"]),
    "map": lambda: map(bytes.lower, [b"AB", b"CD"]),
    "custom": Custom,
    "getitem": OldStyle,
    "dict": lambda: {b"ab": 1, b"cd": 2},
    "list-subclass": lambda: Lying([b"ab", b"cd"]),
    "empties": lambda: iter([b"", b"ab", b"", b"", b"cd", b""]),
    "list-empties": lambda: [b"", b"ab", b"", b"cd", b""],
    "one": lambda: [b"abcd"],
    "one-generator": lambda: (part for part in [b"abcd"]),
}


def kind(environ: dict[str, Any], start_response: Any) -> Any:
    start_response("200 OK", [TEXT])
    return KINDS[environ["QUERY_STRING"]]()


EMPTY: dict[str, Any] = {
    "list": list,
    "tuple": tuple,
    "one": lambda: [b""],
    "two": lambda: [b"", b""],
    "generator": lambda: iter([]),
    "generator-one": lambda: iter([b""]),
}


def empty(environ: dict[str, Any], start_response: Any) -> Any:
    start_response("200 OK", [TEXT])
    return EMPTY[environ["QUERY_STRING"]]()


def single(environ: dict[str, Any], start_response: Any) -> Any:
    start_response("200 OK", [TEXT])
    return [b"x" * 1000]


def small_parts(environ: dict[str, Any], start_response: Any) -> Any:
    start_response("200 OK", [TEXT])
    return (b"%d" % (n % 10) for n in range(3000))


def block(environ: dict[str, Any], start_response: Any) -> Any:
    start_response("200 OK", [TEXT])
    return [bytes(range(256)) * (8 << 12)]


def blocks(environ: dict[str, Any], start_response: Any) -> Any:
    start_response("200 OK", [TEXT])
    return (bytes([n]) * 65536 for n in range(128))


def echo(environ: dict[str, Any], start_response: Any) -> Iterator[bytes]:
    """Answers while it reads."""
    start_response("200 OK", [TEXT])
    while True:
        part = environ["wsgi.input"].read(4096)
        if not part:
            break
        yield part


def reused(environ: dict[str, Any], start_response: Any) -> Any:
    """The server may not keep what it was given beyond its call."""
    start_response("200 OK", [TEXT])
    return iter([bytes(array.array("B", [n]) * 10) for n in range(200)])


def unhurried(environ: dict[str, Any], start_response: Any) -> Iterator[bytes]:
    """PEP 3333: no part may be held back until the next is there. The second
    comes when the client has shown that it holds the first."""
    start_response("200 OK", [TEXT])
    yield b"first"
    until = time.monotonic() + 9
    while not os.path.exists(environ["QUERY_STRING"]):
        if time.monotonic() > until:
            note("held back")
            break
        time.sleep(0.01)
    yield b"second"


@pytest.mark.parametrize("name", KINDS)
def test_kinds(client: Client, name: str) -> None:
    response = client.ask(kind, query=name)
    assert response.status == 200
    assert response.body == b"abcd"


@pytest.mark.parametrize("name", KINDS)
def test_kinds_to_http_1_0(client: Client, name: str) -> None:
    """Never chunked: RFC 9112 6.1."""
    response = client.once(kind, query=name, version="1.0")
    assert response.framing in ("close", "length")
    assert response.body.startswith(b"abcd")


@pytest.mark.parametrize("name", EMPTY)
def test_empty_bodies(client: Client, name: str) -> None:
    response = client.ask(empty, query=name)
    assert (response.status, response.body) == (200, b"")


def test_one_part_has_a_content_length(client: Client) -> None:
    assert client.ask(single).get("Content-Length") == "1000"


def test_unknown_length_is_chunked_and_persists(client: Client) -> None:
    response = client.ask(small_parts)
    assert response.framing == "chunked"
    assert not response.closes


def test_unknown_length_ends_with_the_connection_in_1_0(
    client: Client,
) -> None:
    keep = ("Connection: keep-alive",)
    response = client.once(small_parts, version="1.0", fields=keep)
    assert response.framing == "close"
    assert response.body == b"0123456789" * 300


def test_3000_parts_of_one_byte(client: Client) -> None:
    assert client.ask(small_parts).body == b"0123456789" * 300


def test_one_block_of_8_mib(client: Client) -> None:
    assert client.ask(block).body == bytes(range(256)) * (8 << 12)


def test_blocks(client: Client) -> None:
    expected = b"".join(bytes([n]) * 65536 for n in range(128))
    assert client.ask(blocks).body == expected


@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
def test_echo_of_1_mib_while_reading(client: Client, chunked: bool) -> None:
    body = bytes(range(256)) * 4096
    response = client.ask(echo, method="POST", body=body, chunked=chunked)
    assert response.body == body


def test_parts_are_copied_or_kept(client: Client) -> None:
    expected = b"".join(bytes([n]) * 10 for n in range(200))
    assert client.ask(reused).body == expected


def test_no_part_waits_for_the_next(client: Client, tmp_path: Path) -> None:
    sign = tmp_path / "seen"
    fields = ("Connection: close",)
    with client.connection() as sock:
        sock.sendall(request(unhurried, query=str(sign), fields=fields))
        data = b""
        while b"first" not in data:
            piece = sock.recv(65536)
            assert piece, data
            data += piece
        sign.touch()
        data += client.read_all(sock)
    assert b"second" in data
    assert client.notes() == []


def after_the_last(environ: dict[str, Any], start_response: Any) -> Any:
    path = Path(environ["QUERY_STRING"])
    start_response("200 OK", [TEXT, ("Content-Length", "4")])
    ended = "closed"
    try:
        yield b"ab"
        yield b"cd"
        ended = "ran on"
    finally:
        path.write_text(ended)


def test_what_follows_the_last_block_is_done(
    client: Client, tmp_path: Path
) -> None:
    """The length was announced, so the client has all of it before."""
    path = tmp_path / "ended"
    with client.connection() as sock:
        sock.sendall(
            request(
                after_the_last, query=str(path), fields=("Connection: close",)
            )
        )
        assert client.read_all(sock).endswith(b"abcd")
    assert path.read_text() == "ran on"
