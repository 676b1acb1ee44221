"""wsgiref.validate between server and application: what the server must do
to satisfy the standard library's reading of PEP 3333."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.wsgi.app import note
from tests.wsgi.client import Client


def echo(environ: dict[str, Any], start_response: Any) -> Iterator[bytes]:
    stream = environ["wsgi.input"]
    body = stream.read(4) + stream.readline(100) + b"".join(stream)
    environ["wsgi.errors"].write("validated\n")
    environ["wsgi.errors"].flush()
    start_response("200 OK", [("Content-Type", "text/plain")])
    note("read", len(body))
    return iter([body, b"!"])


def one(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"one"]


def writer(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    write = start_response("200 OK", [("Content-Type", "text/plain")])
    write(b"written ")
    return [b"returned"]


def empty(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    start_response("204 No Content", [])
    return []


def replaced(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    import sys

    start_response("200 OK", [("Content-Type", "text/plain")])
    try:
        raise ValueError("late")
    except ValueError:
        start_response(
            "500 Oops", [("Content-Type", "text/plain")], sys.exc_info()
        )
    return [b"sorry"]


@pytest.mark.parametrize("app", [one, writer, echo])
@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE"])
def test_without_a_body(client: Client, app: Any, method: str) -> None:
    response = client.ask(app, method=method, validated=True)
    assert response.status == 200


@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
def test_post(client: Client, chunked: bool) -> None:
    body = b"line\nanother line\nlast"
    response = client.ask(
        echo, method="POST", body=body, chunked=chunked, validated=True
    )
    assert (response.status, response.body) == (200, body + b"!")


@pytest.mark.parametrize("app", [one, writer, echo])
def test_http_1_0(client: Client, app: Any) -> None:
    response = client.once(app, version="1.0", validated=True)
    assert response.status == 200
    assert response.framing in ("length", "close")


def test_no_content(client: Client) -> None:
    assert client.ask(empty, validated=True).status == 204


def test_exc_info(client: Client) -> None:
    response = client.ask(replaced, validated=True)
    assert (response.status, response.body) == (500, b"sorry")
