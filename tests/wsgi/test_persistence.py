"""Connections: kept in 1.1, kept on request in 1.0, as the responses say."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.wsgi.app import plain
from tests.wsgi.client import LAST, Client, request

TEXT = ("Content-Type", "text/plain")


def ok(environ: dict[str, Any], start_response: Any) -> Any:
    return plain(start_response, b"ok")


def lazy(environ: dict[str, Any], start_response: Any) -> Iterator[bytes]:
    start_response("200 OK", [TEXT])
    yield b"o"
    yield b"k"


@pytest.mark.parametrize("app", [ok, lazy])
def test_1_1_by_default(client: Client, app: Any) -> None:
    answers = client.exchange(request(app) * 50 + LAST)
    assert [r.body for r in answers] == [b"ok"] * 50 + [b'"done"']
    assert not any(r.closes for r in answers[:50])


def test_1_0_on_request(client: Client) -> None:
    keep = request(ok, version="1.0", fields=("Connection: keep-alive",))
    answers = client.exchange(keep * 3 + LAST)
    assert len(answers) == 4
    for response in answers[:3]:
        assert (response.get("Connection") or "").lower() == "keep-alive"


def test_1_0_closes_by_default(client: Client) -> None:
    answers = client.exchange(request(ok, version="1.0") + LAST)
    assert len(answers) == 1


def test_close_is_announced(client: Client) -> None:
    (response,) = client.exchange(request(ok, fields=("Connection: close",)))
    assert response.closes


def test_1_0_answers_say_1_1_or_1_0(client: Client) -> None:
    """RFC 9110 2.5: never more than 1.1, never the client's own words."""
    raw = client.target.send(request(ok, version="1.0"))
    assert raw.startswith((b"HTTP/1.1 200 OK\r\n", b"HTTP/1.0 200 OK\r\n"))
    raw = client.target.send(
        request(ok, version="1.2", fields=("Connection: close",))
    )
    assert raw.startswith((b"HTTP/1.1 ", b"HTTP/1.0 "))
