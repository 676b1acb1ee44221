"""start_response(): PEP 3333 "The start_response() Callable" and "Error
Handling"."""

from __future__ import annotations

import sys
import weakref
from collections.abc import Iterator
from typing import Any

import pytest

from tests.wsgi.app import note, plain
from tests.wsgi.client import Client

TEXT = ("Content-Type", "text/plain")


class Closing:
    """An iterable that notes its close()."""

    def __init__(self, *parts: Any) -> None:
        self.parts = iter(parts)

    def __iter__(self) -> Closing:
        return self

    def __next__(self) -> Any:
        part = next(self.parts)
        if isinstance(part, Exception):
            raise part
        return part

    def close(self) -> None:
        note("closed")


def early(environ: dict[str, Any], start_response: Any) -> Any:
    return plain(start_response, b"early")


def late(environ: dict[str, Any], start_response: Any) -> Iterator[bytes]:
    start_response("200 OK", [TEXT])
    yield b"late"


def later(environ: dict[str, Any], start_response: Any) -> Iterator[bytes]:
    """PEP 3333: it must have been called by the first non-empty part only
    of what the iterable yields."""
    start_response("200 OK", [TEXT])
    yield b""
    yield b"later"


def never(environ: dict[str, Any], start_response: Any) -> Any:
    return Closing(b"body")


def never_empty(environ: dict[str, Any], start_response: Any) -> Any:
    return Closing()


def twice(environ: dict[str, Any], start_response: Any) -> Any:
    start_response("200 OK", [TEXT])
    try:
        start_response("201 Created", [TEXT])
    except BaseException as error:
        note("raised", type(error).__name__)
        raise
    return [b"body"]


def twice_after_body(
    environ: dict[str, Any], start_response: Any
) -> Iterator[bytes]:
    start_response("200 OK", [TEXT])
    yield b"body"
    try:
        start_response("201 Created", [TEXT])
    except BaseException as error:
        note("raised", type(error).__name__)
        raise


def replaced(environ: dict[str, Any], start_response: Any) -> Any:
    start_response("200 OK", [TEXT, ("Content-Length", "2"), ("X-Old", "1")])
    try:
        raise ValueError("application")
    except ValueError:
        body = b"a longer body"
        start_response(
            "503 Sorry",
            [TEXT, ("Content-Length", str(len(body))), ("X-New", "1")],
            sys.exc_info(),
        )
        return [body]


def replaced_no_length(environ: dict[str, Any], start_response: Any) -> Any:
    start_response("200 OK", [TEXT, ("Content-Length", "2")])
    try:
        raise ValueError("application")
    except ValueError:
        start_response("503 Sorry", [TEXT], sys.exc_info())
        return iter([b"a longer ", b"body"])


def replaced_in_iterator(
    environ: dict[str, Any], start_response: Any
) -> Iterator[bytes]:
    start_response("200 OK", [TEXT, ("X-Old", "1")])
    yield b""
    try:
        raise ValueError("application")
    except ValueError:
        start_response("503 Sorry", [TEXT], sys.exc_info())
    yield b"sorry"


def first_with_exc_info(environ: dict[str, Any], start_response: Any) -> Any:
    try:
        raise ValueError("application")
    except ValueError:
        start_response("503 Sorry", [TEXT], sys.exc_info())
    return [b"sorry"]


def exc_info_none(environ: dict[str, Any], start_response: Any) -> Any:
    start_response("200 OK", [TEXT], None)
    return [b"fine"]


def keyword(environ: dict[str, Any], start_response: Any) -> Any:
    start_response("200 OK", [TEXT], exc_info=None)
    return [b"fine"]


class Marker(ValueError):
    pass


_kept: list[Any] = []


class Witness:
    """Lives in the frame that the traceback refers to."""


def too_late(environ: dict[str, Any], start_response: Any) -> Iterator[bytes]:
    start_response("200 OK", [TEXT])
    yield b"first part"
    witness = Witness()
    _kept[:] = [weakref.ref(witness)]
    try:
        raise Marker("original")
    except Marker:
        try:
            start_response("503 Sorry", [TEXT], sys.exc_info())
        except BaseException as error:
            note("reraised", type(error).__name__, str(error))
            raise


def witness_alive(environ: dict[str, Any], start_response: Any) -> Any:
    alive = bool(_kept) and _kept[0]() is not None
    return plain(start_response, b"alive" if alive else b"gone")


def delayed(environ: dict[str, Any], start_response: Any) -> Any:
    start_response("200 OK", [TEXT, ("X-Old", "1")])
    raise ValueError("application")


def delayed_in_iterator(
    environ: dict[str, Any], start_response: Any
) -> Iterator[bytes]:
    start_response("200 OK", [TEXT, ("X-Old", "1")])
    if environ["QUERY_STRING"]:
        yield b""
    raise ValueError("application")


@pytest.mark.parametrize(
    ("app", "body"), [(early, b"early"), (late, b"late"), (later, b"later")]
)
def test_early_and_late(client: Client, app: Any, body: bytes) -> None:
    response = client.ask(app)
    assert (response.status, response.body) == (200, body)


@pytest.mark.parametrize("app", [never, never_empty])
def test_never_called(client: Client, app: Any) -> None:
    assert client.once(app).status == 500
    assert client.notes(1) == [["closed"]]


def test_twice_without_exc_info_raises(client: Client) -> None:
    assert client.once(twice).status == 500
    assert client.notes()[0][0] == "raised"


def test_twice_after_the_body_began_raises(client: Client) -> None:
    response = client.once(twice_after_body)
    assert response.status == 200
    assert not response.complete
    assert client.notes()[0][0] == "raised"


def test_exc_info_replaces_status_fields_and_length(client: Client) -> None:
    response = client.ask(replaced)
    assert (response.status, response.reason) == (503, "Sorry")
    assert response.body == b"a longer body"
    assert response.get("X-New") == "1"
    assert response.get("X-Old") is None


def test_exc_info_forgets_the_old_length(client: Client) -> None:
    response = client.ask(replaced_no_length)
    assert (response.status, response.body) == (503, b"a longer body")


def test_exc_info_after_an_empty_part(client: Client) -> None:
    response = client.ask(replaced_in_iterator)
    assert (response.status, response.body) == (503, b"sorry")
    assert response.get("X-Old") is None


@pytest.mark.parametrize("app", [exc_info_none, keyword])
def test_exc_info_may_be_none(client: Client, app: Any) -> None:
    assert client.ask(app).body == b"fine"


def test_exc_info_in_the_first_call(client: Client) -> None:
    assert client.ask(first_with_exc_info).status == 503


def test_exc_info_after_the_head_reraises(client: Client) -> None:
    response = client.once(too_late)
    assert response.status == 200
    assert not response.complete
    assert response.body in (b"", b"first part")
    assert client.notes() == [["reraised", "Marker", "original"]]


def test_no_traceback_is_kept(client: Client) -> None:
    client.once(too_late)
    client.ask(early)
    client.collect()
    assert client.ask(witness_alive).body == b"gone"


@pytest.mark.parametrize("query", ["", "yield"])
def test_the_head_waits_for_the_body(client: Client, query: str) -> None:
    """PEP 3333: so that an error can still become a clean 500."""
    for app in (delayed, delayed_in_iterator):
        response = client.once(app, query=query)
        assert response.status == 500
        assert response.complete
        assert response.get("X-Old") is None
