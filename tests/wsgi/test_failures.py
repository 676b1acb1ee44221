"""Applications that fail, and ones that break the rules of their side."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.wsgi.app import plain
from tests.wsgi.client import Client

TEXT = ("Content-Type", "text/plain")
SECRET = "kryptonite"


def raises(environ: dict[str, Any], start_response: Any) -> Any:
    raise ValueError(SECRET)


def raises_after_start(environ: dict[str, Any], start_response: Any) -> Any:
    start_response("200 OK", [TEXT])
    raise ValueError(SECRET)


def raises_midway(
    environ: dict[str, Any], start_response: Any
) -> Iterator[bytes]:
    start_response("200 OK", [TEXT])
    yield b"part"
    raise ValueError(SECRET)


def raises_midway_length(
    environ: dict[str, Any], start_response: Any
) -> Iterator[bytes]:
    start_response("200 OK", [TEXT, ("Content-Length", "100")])
    yield b"part"
    raise ValueError(SECRET)


def raises_late(
    environ: dict[str, Any], start_response: Any
) -> Iterator[bytes]:
    start_response("200 OK", [TEXT])
    for _ in range(100):
        yield b"x" * 10000
    raise ValueError(SECRET)


def unprintable(environ: dict[str, Any], start_response: Any) -> Any:
    class Bad(Exception):
        def __str__(self) -> str:
            raise ValueError("no text")

        __repr__ = __str__

    raise Bad


EXITS: dict[str, Callable[[], Any]] = {
    "base-exception": lambda: throw(BaseException()),
    "generator-exit": lambda: throw(GeneratorExit()),
    "memory-error": lambda: throw(MemoryError()),
    "recursion": lambda: recurse(0),
    "stop-iteration": lambda: throw(StopIteration()),
}


def throw(error: BaseException) -> None:
    raise error


def recurse(depth: int) -> int:
    return recurse(depth + 1) + 1


def exits(environ: dict[str, Any], start_response: Any) -> Any:
    EXITS[environ["QUERY_STRING"]]()


def exits_midway(
    environ: dict[str, Any], start_response: Any
) -> Iterator[bytes]:
    start_response("200 OK", [TEXT])
    yield b"part"
    EXITS[environ["QUERY_STRING"]]()
    yield b"more"


RETURNS: dict[str, Any] = {
    "none": None,
    "int": 5,
    "text": "text",
    "object": object(),
    "list-text": ["text"],
    "list-none": [None],
    "list-int": [5],
    "list-mixed": [b"a", "b"],
    "list-bytearray": [bytearray(b"ab")],
    "generator-text": (part for part in ["text"]),
    "list-list": [[b"a"]],
}


def returns(environ: dict[str, Any], start_response: Any) -> Any:
    start_response("200 OK", [TEXT])
    return RETURNS[environ["QUERY_STRING"]]


FIELDS: dict[str, Any] = {
    "not-latin-1": [("X", "€")],
    "name-not-ascii": [("Xé", "v")],
    "bytes-value": [("X", b"v")],
    "bytes-name": [(b"X", "v")],
    "int-value": [("X", 5)],
    "int-name": [(5, "v")],
    "none-value": [("X", None)],
    "one-tuple": [("X",)],
    "three-tuple": [("X", "v", "w")],
    "pair-as-list": [["X", "v"]],
    "text-item": ["XY"],
    "none-item": [None],
    "dict": {"X": "v"},
    "none": None,
    "int": 5,
    "text": "X: v",
    "surrogate": [("X", "\udc80")],
    "tuple": (("X", "v"),),
}
STATUSES: dict[str, Any] = {
    "bytes": b"200 OK",
    "int": 200,
    "none": None,
    "empty": "",
    "short": "20",
    "letters": "abc OK",
    "no-reason": "200",
    "space-only": "200 ",
    "four-digits": "2000 OK",
    "negative": "-20 OK",
    "not-latin-1": "200 €",
    "latin-1": "200 Très bien",
    "no-space": "200OK",
    "zero": "000 OK",
    "interim": "100 Continue",
    "switching": "101 Switching Protocols",
    "surrogate": "200 \udc80",
}


def fields(environ: dict[str, Any], start_response: Any) -> Any:
    start_response("200 OK", FIELDS[environ["QUERY_STRING"]])
    return [b"body"]


def status(environ: dict[str, Any], start_response: Any) -> Any:
    start_response(STATUSES[environ["QUERY_STRING"]], [TEXT])
    return [b"body"]


CALLS: dict[str, Any] = {
    "none": (),
    "one": ("200 OK",),
    "five": ("200 OK", [], None, None, None),
    "bad-exc-info": ("200 OK", [], 5),
    "empty-exc-info": ("200 OK", [], ()),
    "none-exc-info": ("200 OK", [], (None, None, None)),
}


def call(environ: dict[str, Any], start_response: Any) -> Any:
    start_response(*CALLS[environ["QUERY_STRING"]])
    return [b"body"]


def ok(environ: dict[str, Any], start_response: Any) -> Any:
    return plain(start_response, b"ok")


@pytest.mark.parametrize("app", [raises, raises_after_start, unprintable])
def test_500_without_a_word_of_the_traceback(client: Client, app: Any) -> None:
    raw = client.raw(app)
    assert raw.startswith(b"HTTP/1.1 500 ")
    assert b"Traceback" not in raw
    assert SECRET.encode() not in raw


def test_traceback_reaches_the_log(client: Client) -> None:
    client.once(raises)
    text = client.log_text()
    assert "Traceback" in text
    assert SECRET in text


def test_connection_is_usable_or_closed_after_500(client: Client) -> None:
    assert client.once(raises).status == 500
    assert client.ask(ok).body == b"ok"


@pytest.mark.parametrize(
    "app", [raises_midway, raises_midway_length, raises_late]
)
@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_failure_midway_never_looks_complete(
    client: Client, app: Any, version: str
) -> None:
    response = client.once(app, version=version)
    if response.framing == "close":
        # HTTP/1.0 has no way to tell but a reset, which may show or not.
        assert version == "1.0"
        return
    assert response.status == 500 or not response.complete


@pytest.mark.parametrize("name", EXITS)
def test_exits_do_not_end_the_server(client: Client, name: str) -> None:
    for app in (exits, exits_midway):
        with client.connection() as sock:
            query = "GET /test_failures/%s?%s HTTP/1.1\r\nHost: a\r\n\r\n"
            sock.sendall((query % (app.__name__, name)).encode())
            sock.settimeout(60)
            assert sock.recv(65536) != b"never"
    assert client.target.alive
    assert client.ask(ok).body == b"ok"


@pytest.mark.parametrize("name", RETURNS)
def test_wrong_return_values(client: Client, name: str) -> None:
    response = client.once(returns, query=name)
    good = response.status == 200 and response.complete
    if name == "list-bytearray":
        assert not good or response.body == b"ab"
    else:
        assert not good, response
    assert client.ask(ok).body == b"ok"


@pytest.mark.parametrize("name", FIELDS)
def test_wrong_fields(client: Client, name: str) -> None:
    response = client.once(fields, query=name)
    if name in ("tuple", "pair-as-list", "three-tuple"):
        assert response.status in (200, 500)
    else:
        assert response.status == 500, response
    assert client.ask(ok).body == b"ok"


@pytest.mark.parametrize("name", STATUSES)
def test_wrong_statuses(client: Client, name: str) -> None:
    """Refused, or on the wire as a status that HTTP allows."""
    response = client.once(status, query=name)
    assert response.status in (200, 500), response
    if name in ("latin-1", "no-reason", "space-only"):
        assert client.ask(status, query=name).status in (200, 500)
    elif name not in ("four-digits", "no-space"):
        assert response.status == 500, response
    assert client.ask(ok).body == b"ok"


@pytest.mark.parametrize("name", CALLS)
def test_wrong_arguments(client: Client, name: str) -> None:
    response = client.once(call, query=name)
    if not name.endswith("exc-info"):
        assert response.status == 500, response
    assert client.ask(ok).body == b"ok"
