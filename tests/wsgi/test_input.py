"""wsgi.input: PEP 3333 "Input and Error Streams"; io.BytesIO is the model."""

from __future__ import annotations

import io
import json
import urllib.parse
from typing import Any

import pytest

from tests.wsgi.app import answer, note, plain
from tests.wsgi.client import LAST, Client, request

BODY = b"first line\nsecond line\n\nfourth\r\nno end of line"
SCRIPTS: dict[str, list[list[Any]]] = {
    "read": [["read"]],
    "read-minus": [["read", -1]],
    "read-none": [["read", None]],
    "read-zero": [["read", 0], ["read"]],
    "read-n": [["read", 4], ["read", 7], ["read", 1000]],
    "read-twice": [["read"], ["read"], ["read", 10], ["readline"]],
    "readline": [["readline"]] * 8,
    "readline-n": [["readline", 4]] * 14,
    "readline-large": [["readline", 1000]] * 7,
    "readline-minus": [["readline", -1], ["readline", -1], ["read"]],
    "readline-zero": [["readline", 0], ["readline"]],
    "readlines": [["readlines"]],
    "readlines-hint": [["readlines", 12], ["readlines"]],
    "readlines-after": [["readline"], ["readlines"], ["read"]],
    "iterate": [["iterate"]],
    "iterate-after": [["read", 3], ["iterate"], ["read"]],
    "mixed": [["read", 3], ["readline"], ["readline", 3], ["read"]],
    "bytewise": [["read", 1]] * (len(BODY) + 2),
    "end": [["read"], ["readline"], ["readlines"], ["iterate"], ["read", 0]],
}
BODIES = {
    "text": BODY,
    "empty": b"",
    "newlines": b"\n\n\n",
    "binary": bytes(range(256)) * 3,
    "long-line": b"x" * 70000 + b"\n" + b"y" * 70000,
}


def perform(stream: Any, script: list[list[Any]]) -> list[Any]:
    results: list[Any] = []
    for name, *arguments in script:
        if name == "iterate":
            result: Any = list(stream)
        else:
            result = getattr(stream, name)(*arguments)
        if isinstance(result, bytes):
            results.append(result.decode("latin-1"))
        else:
            results.append([line.decode("latin-1") for line in result])
    return results


def scripted(environ: dict[str, Any], start_response: Any) -> Any:
    script = json.loads(urllib.parse.unquote(environ["QUERY_STRING"]))
    return answer(start_response, perform(environ["wsgi.input"], script))


def greedy(environ: dict[str, Any], start_response: Any) -> Any:
    stream = environ["wsgi.input"]
    body = stream.read(1 << 20)
    note("more", len(stream.read(10)), len(stream.readline()))
    return plain(start_response, body)


def ignorant(environ: dict[str, Any], start_response: Any) -> Any:
    return plain(start_response, b"unread")


def partial(environ: dict[str, Any], start_response: Any) -> Any:
    return plain(start_response, environ["wsgi.input"].read(3))


def kept(environ: dict[str, Any], start_response: Any) -> Any:
    """Reads after its response has been sent; and keeps the stream."""
    _streams.append(environ["wsgi.input"])
    return plain(start_response, b"kept")


_streams: list[Any] = []


def abuse_kept(environ: dict[str, Any], start_response: Any) -> Any:
    """A stream whose request is over must not crash, nor read another's."""
    found = []
    for stream in _streams:
        try:
            found.append(stream.read().decode("latin-1"))
        except Exception as error:
            found.append(type(error).__name__)
    _streams.clear()
    return answer(start_response, found)


def closes_input(environ: dict[str, Any], start_response: Any) -> Any:
    """PEP 3333 forbids it, but frameworks have done it."""
    close = getattr(environ["wsgi.input"], "close", None)
    if close is not None:
        close()
    return plain(start_response, b"closed")


def lines_of(environ: dict[str, Any], start_response: Any) -> Any:
    count = sum(1 for _ in environ["wsgi.input"])
    return plain(start_response, str(count).encode())


WRONG = {
    "text": "x",
    "float": 1.5,
    "list": [],
}


def wrong_argument(environ: dict[str, Any], start_response: Any) -> Any:
    stream = environ["wsgi.input"]
    for name in ("read", "readline", "readlines"):
        try:
            getattr(stream, name)(WRONG[environ["QUERY_STRING"]])
        except TypeError:
            note("TypeError")
    return plain(start_response, stream.read())


@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("name", SCRIPTS)
def test_like_a_file(
    client: Client, name: str, body: str, chunked: bool
) -> None:
    data = BODIES[body]
    query = urllib.parse.quote(json.dumps(SCRIPTS[name]))
    response = client.once(  # what is left unread may end the connection
        scripted, method="POST", query=query, body=data, chunked=chunked
    )
    expected = perform(io.BytesIO(data), SCRIPTS[name])
    got = json.loads(response.body)
    if name == "readlines-hint" and got != expected:
        # The hint may be ignored (PEP 3333, note 4).
        assert [line for part in got for line in part] == [
            line for part in expected for line in part
        ]
        return
    assert got == expected


@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
def test_reading_past_the_end(client: Client, chunked: bool) -> None:
    """Does not block and leaves the next request alone."""
    response = client.ask(greedy, method="POST", body=BODY, chunked=chunked)
    assert response.body == BODY
    assert client.notes() == [["more", 0, 0]]


def test_no_body_is_an_empty_one(client: Client) -> None:
    assert client.ask(greedy).body == b""


@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
@pytest.mark.parametrize("app", [ignorant, partial])
def test_unread_body_is_never_a_request(
    client: Client, app: Any, chunked: bool
) -> None:
    hidden = b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"
    raw = request(app, method="POST", body=hidden, chunked=chunked)
    answers = client.exchange(raw + LAST)
    assert answers[0].status == 200
    assert [a.body for a in answers[1:]] in ([], [b'"done"'])


def test_large_unread_body(client: Client) -> None:
    raw = request(ignorant, method="POST", body=b"x" * (4 << 20))
    answers = client.exchange(raw + LAST)
    assert answers[0].body == b"unread"


@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
def test_large_body(client: Client, chunked: bool) -> None:
    """Larger than what is kept in memory."""
    body = b"0123456789abcde\n" * (1 << 18)
    response = client.ask(lines_of, method="POST", body=body, chunked=chunked)
    assert response.body == str(1 << 18).encode()


def test_kept_stream_is_harmless(client: Client) -> None:
    raw = request(kept, method="POST", body=b"secret")
    client.exchange(raw * 3 + LAST)
    raw = request(kept, method="POST", body=b"other") + LAST
    client.exchange(raw)
    found = json.loads(client.ask(abuse_kept).body)
    assert len(found) == 4
    for text in found:
        assert text in ("", "secret", "other") or text.endswith("Error")


def test_close_is_absent_or_harmless(client: Client) -> None:
    response = client.once(closes_input, method="POST", body=b"abc")
    assert response.status in (200, 500)
    assert client.ask(greedy, method="POST", body=b"abc").body == b"abc"


@pytest.mark.parametrize("what", WRONG)
def test_wrong_arguments_raise(client: Client, what: str) -> None:
    response = client.ask(
        wrong_argument, query=what, method="POST", body=b"abc"
    )
    assert response.body == b"abc"
    assert client.notes() == [["TypeError"]] * 3


def test_body_in_slow_pieces(client: Client) -> None:
    """Each write is on its own; the lengths do not match any line."""
    raw = request(
        greedy, method="POST", body=BODY, fields=("Connection: close",)
    )
    with client.connection() as sock:
        for byte in raw:
            sock.sendall(bytes([byte]))
        data = client.read_all(sock)
    assert data.endswith(BODY)
