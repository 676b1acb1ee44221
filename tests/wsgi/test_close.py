"""close() on what the application returned: once, in every ending."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.wsgi.app import note
from tests.wsgi.client import Client

TEXT = ("Content-Type", "text/plain")


class Body:
    def __init__(self, *parts: Any) -> None:
        self.parts = list(parts)
        self.at = 0

    def __iter__(self) -> Body:
        return self

    def __next__(self) -> bytes:
        if self.at == len(self.parts):
            raise StopIteration
        part = self.parts[self.at]
        self.at += 1
        if isinstance(part, type):
            raise part("application")
        return bytes(part)

    def close(self) -> None:
        note("closed", self.at)


class Listed(list):  # type: ignore[type-arg]
    def close(self) -> None:
        note("closed")


class Wrapper:
    """Iterates something else than itself, as middleware does."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.inner)

    def close(self) -> None:
        note("closed")


def normal(environ: dict[str, Any], start_response: Any) -> Any:
    start_response("200 OK", [TEXT])
    return Body(b"a", b"b")


def single(environ: dict[str, Any], start_response: Any) -> Any:
    start_response("200 OK", [TEXT])
    return Listed([b"ab"])


def empty(environ: dict[str, Any], start_response: Any) -> Any:
    start_response("200 OK", [TEXT])
    return Listed()


def wrapped(environ: dict[str, Any], start_response: Any) -> Any:
    start_response("200 OK", [TEXT])
    return Wrapper([b"ab"])


def no_content(environ: dict[str, Any], start_response: Any) -> Any:
    start_response("204 No Content", [])
    return Listed()


def not_modified(environ: dict[str, Any], start_response: Any) -> Any:
    start_response("304 Not Modified", [])
    return Body(b"not sent")


def fails_at_once(environ: dict[str, Any], start_response: Any) -> Any:
    start_response("200 OK", [TEXT])
    return Body(ValueError)


def fails_midway(environ: dict[str, Any], start_response: Any) -> Any:
    start_response("200 OK", [TEXT])
    return Body(b"part", ValueError)


def fails_to_iterate(environ: dict[str, Any], start_response: Any) -> Any:
    start_response("200 OK", [TEXT])

    class Broken:
        def __iter__(self) -> Any:
            raise ValueError("application")

        def close(self) -> None:
            note("closed")

    return Broken()


def bad_part(environ: dict[str, Any], start_response: Any) -> Any:
    start_response("200 OK", [TEXT])

    class Text:
        def __iter__(self) -> Any:
            return iter(["text"])

        def close(self) -> None:
            note("closed")

    return Text()


def too_long(environ: dict[str, Any], start_response: Any) -> Any:
    start_response("200 OK", [TEXT, ("Content-Length", "2")])
    return Body(*[b"ab"] * 1000)


def bad_head(environ: dict[str, Any], start_response: Any) -> Any:
    """Its mistake shows when the head is sent, at the latest."""
    start_response("200 OK", [TEXT, ("Content-Length", "nonsense")])
    return Body(b"ab")


def generator(environ: dict[str, Any], start_response: Any) -> Iterator[bytes]:
    start_response("200 OK", [TEXT])
    try:
        yield b"a"
        yield b"b"
    finally:
        note("closed")


def close_fails(environ: dict[str, Any], start_response: Any) -> Any:
    start_response("200 OK", [TEXT])

    class Bad(list):  # type: ignore[type-arg]
        def close(self) -> None:
            note("closed")
            raise ValueError("in close")

    return Bad([b"ab"])


def closed_once(client: Client) -> bool:
    return [entry[0] for entry in client.notes(1)] == ["closed"]


@pytest.mark.parametrize(
    "app", [normal, single, empty, wrapped, generator, no_content]
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_at_the_end(client: Client, app: Any, method: str) -> None:
    client.ask(app, method=method)
    assert closed_once(client)


def test_not_modified(client: Client) -> None:
    assert client.ask(not_modified).body == b""
    assert closed_once(client)


@pytest.mark.parametrize(
    "app", [fails_at_once, fails_midway, fails_to_iterate, bad_part]
)
def test_after_a_failure(client: Client, app: Any) -> None:
    response = client.once(app)
    assert response.status == 500 or not response.complete
    assert closed_once(client)


def test_when_there_is_too_much(client: Client) -> None:
    assert client.once(too_long).body == b"ab"
    (entry,) = client.notes(1)
    assert entry[0] == "closed"
    assert entry[1] < 1000, "iterated to the end for nothing"


def test_when_the_head_is_impossible(client: Client) -> None:
    client.once(bad_head)
    assert [entry[0] for entry in client.notes(1)] in ([], ["closed"])


def test_failure_in_close_harms_nobody(client: Client) -> None:
    response = client.once(close_fails)
    assert (response.status, response.body) == (200, b"ab")
    assert closed_once(client)
    assert client.ask(normal).body == b"ab"
    # Its close() may run after the answer, and is not the next test's.
    assert len(client.notes(2)) == 2


def test_http_1_0(client: Client) -> None:
    client.once(normal, version="1.0")
    assert closed_once(client)
