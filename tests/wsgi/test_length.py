"""Content-Length from the application; HEAD, 204 and 304."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.wsgi.app import note
from tests.wsgi.client import Client

TEXT = ("Content-Type", "text/plain")


def sized(
    environ: dict[str, Any], start_response: Any
) -> list[bytes] | Iterator[bytes]:
    """?length,part,part... ; a leading "g" makes it a generator."""
    length, *parts = environ["QUERY_STRING"].split(",")
    lazy = length.startswith("g")
    start_response("200 OK", [TEXT, ("Content-Length", length.strip("g"))])
    body = [part.encode() for part in parts]
    return iter(body) if lazy else body


def counted(environ: dict[str, Any], start_response: Any) -> Iterator[bytes]:
    start_response("200 OK", [TEXT, ("Content-Length", "4")])
    for number in range(100):
        note("part", number)
        yield b"ab"


BAD: dict[str, Any] = {
    "word": [("Content-Length", "abc")],
    "negative": [("Content-Length", "-1")],
    "empty": [("Content-Length", "")],
    "plus": [("Content-Length", "+4")],
    "float": [("Content-Length", "4.0")],
    "list": [("Content-Length", "4, 4")],
    "two": [("Content-Length", "4"), ("Content-Length", "5")],
    "two-same": [("Content-Length", "4"), ("content-length", "4")],
    "huge": [("Content-Length", "9" * 30)],
}


def bad(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    start_response("200 OK", [TEXT, *BAD[environ["QUERY_STRING"]]])
    return [b"body"]


def known(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    start_response("200 OK", [TEXT, ("Content-Length", "4")])
    return [b"body"]


def head_aware(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    start_response("200 OK", [TEXT, ("Content-Length", "4")])
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [b"body"]


def unknown(environ: dict[str, Any], start_response: Any) -> Iterator[bytes]:
    start_response("200 OK", [TEXT])
    yield b"bo"
    yield b"dy"


def one(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    start_response("200 OK", [TEXT])
    return [b"body"]


def bodiless(environ: dict[str, Any], start_response: Any) -> Any:
    """?status,length,lazy"""
    status, length, lazy = environ["QUERY_STRING"].split(",")
    lines = [("Content-Length", length)] if length else []
    start_response(status + " Reason", lines)
    return iter([b"bo", b"dy"]) if lazy else [b"body"]


@pytest.mark.parametrize("query", ["4,body", "4,bo,dy", "g4,bo,dy", "0,", "0"])
def test_exact(client: Client, query: str) -> None:
    response = client.ask(sized, query=query)
    expected = b"body" if "4" in query else b""
    assert (response.framing, response.body) == ("length", expected)


@pytest.mark.parametrize("query", ["10,body", "g10,bo,dy", "10,", "g10"])
def test_short_body_ends_the_connection(client: Client, query: str) -> None:
    """Or the client would wait for the rest for ever."""
    response = client.once(sized, query=query)
    assert response.status == 500 or not response.complete


@pytest.mark.parametrize(
    "query", ["4,bodyguard", "4,bo,dyguard", "g4,bo,dyg,x"]
)
def test_long_body_is_cut(client: Client, query: str) -> None:
    response = client.ask(sized, query=query)
    assert (response.framing, response.body) == ("length", b"body")


def test_iteration_stops_at_the_length(client: Client) -> None:
    assert client.ask(counted).body == b"abab"
    assert len(client.notes()) <= 3


@pytest.mark.parametrize("name", BAD)
def test_impossible_lengths_stay_off_the_wire(
    client: Client, name: str
) -> None:
    response = client.once(bad, query=name)
    assert response.status in (200, 500)
    if response.status == 200:
        assert (response.get("Content-Length"), response.body) in (
            ("4", b"body"),
            (None, b"body"),
        )


@pytest.mark.parametrize("app", [known, head_aware, unknown, one])
def test_head(client: Client, app: Any) -> None:
    response = client.ask(app, method="HEAD")
    assert (response.status, response.body) == (200, b"")
    got = client.ask(app)
    assert got.body == b"body"
    length = response.get("Content-Length")
    if length is not None:
        assert length == "4"
    if app in (known, head_aware):
        assert length == got.get("Content-Length")


def test_head_of_http_1_0(client: Client) -> None:
    for app in (known, unknown):
        assert client.once(app, method="HEAD", version="1.0").body == b""


@pytest.mark.parametrize("lazy", ["", "lazy"])
@pytest.mark.parametrize("length", ["", "4", "0"])
@pytest.mark.parametrize("status", ["204", "304"])
def test_no_body_with(
    client: Client, status: str, length: str, lazy: str
) -> None:
    """RFC 9110 15.3.5, 15.4.5, RFC 9112 6.3; 204 without framing fields:
    the strict parser here insists (RFC 9110 8.6, RFC 9112 6.1)."""
    query = ",".join([status, length, lazy])
    response = client.ask(bodiless, query=query)
    assert (response.status, response.body) == (int(status), b"")
    assert response.get("Transfer-Encoding") is None


def test_reset_content_has_none_either(client: Client) -> None:
    """RFC 9110 15.3.6: 205 carries no content; zero length will do."""
    response = client.once(bodiless, query="205,0,")
    assert (response.status, response.body) == (205, b"")
