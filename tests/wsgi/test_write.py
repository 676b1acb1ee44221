"""write(): PEP 3333 "The write() Callable"."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.wsgi.app import note
from tests.wsgi.client import Client

TEXT = ("Content-Type", "text/plain")


def only(environ: dict[str, Any], start_response: Any) -> Any:
    write = start_response("200 OK", [TEXT])
    write(b"one ")
    write(b"two")
    return []


def mixed(environ: dict[str, Any], start_response: Any) -> Any:
    write = start_response("200 OK", [TEXT])
    write(b"written ")
    return [b"returned ", b"twice"]


def with_empties(environ: dict[str, Any], start_response: Any) -> Any:
    write = start_response("200 OK", [TEXT])
    write(b"")
    write(b"a")
    write(b"")
    write(b"b")
    return [b"", b"c", b""]


def with_length(environ: dict[str, Any], start_response: Any) -> Any:
    write = start_response("200 OK", [TEXT, ("Content-Length", "6")])
    write(b"abc")
    return [b"def"]


def too_much(environ: dict[str, Any], start_response: Any) -> Any:
    write = start_response("200 OK", [TEXT, ("Content-Length", "3")])
    write(b"abc")
    write(b"def")
    return [b"ghi"]


def in_generator(
    environ: dict[str, Any], start_response: Any
) -> Iterator[bytes]:
    write = start_response("200 OK", [TEXT])
    write(b"a")
    yield b"b"
    yield b"c"


def many(environ: dict[str, Any], start_response: Any) -> Any:
    write = start_response("200 OK", [TEXT])
    for number in range(2000):
        write(b"%05d" % number)
    return []


def large(environ: dict[str, Any], start_response: Any) -> Any:
    write = start_response("200 OK", [TEXT])
    for _ in range(8):
        write(b"x" * (1 << 20))
    return []


def then_fails(environ: dict[str, Any], start_response: Any) -> Any:
    write = start_response("200 OK", [TEXT])
    write(b"part")
    raise ValueError("application")


def text(environ: dict[str, Any], start_response: Any) -> Any:
    write = start_response("200 OK", [TEXT])
    try:
        write("text")
    except Exception as error:
        note("raised", type(error).__name__)
        raise
    return []


@pytest.mark.parametrize(
    ("app", "body"),
    [
        (only, b"one two"),
        (mixed, b"written returned twice"),
        (with_empties, b"abc"),
        (in_generator, b"abc"),
        (many, b"".join(b"%05d" % n for n in range(2000))),
        (large, b"x" * (8 << 20)),
    ],
)
def test_comes_before_the_iterable(
    client: Client, app: Any, body: bytes
) -> None:
    response = client.ask(app)
    assert response.status == 200
    assert response.body == body


@pytest.mark.parametrize("app", [only, mixed, with_empties])
def test_http_1_0(client: Client, app: Any) -> None:
    response = client.once(app, version="1.0")
    assert response.framing in ("close", "length")
    assert response.status == 200


def test_with_content_length(client: Client) -> None:
    response = client.ask(with_length)
    assert (response.framing, response.body) == ("length", b"abcdef")


def test_beyond_content_length_is_cut(client: Client) -> None:
    response = client.once(too_much)
    assert (response.framing, response.body) == ("length", b"abc")


def test_head_sends_nothing(client: Client) -> None:
    assert client.ask(mixed, method="HEAD").body == b""


def test_failure_after_write_cuts_the_connection(client: Client) -> None:
    response = client.once(then_fails)
    assert response.status == 200
    assert not response.complete


def test_text_is_refused(client: Client) -> None:
    response = client.once(text)
    assert response.status == 500 or not response.complete
    assert client.notes()[0][0] == "raised"
