"""Real applications on real sockets: every route, then the connection must
still be in step."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, urlencode

import pytest

from tests.frameworks.apps import BLOCK
from tests.wire.target import Target

BOUNDARY = "----------boundary"


def connect(target: Target) -> http.client.HTTPConnection:
    address = target.address
    assert isinstance(address, tuple)
    return http.client.HTTPConnection(*address, timeout=60)


@pytest.fixture
def client(framework: Target) -> Iterator[http.client.HTTPConnection]:
    """One kept-alive connection; at the end it must still be good."""
    connection = connect(framework)
    yield connection
    assert ask(connection, "GET", "/hello?name=last") == b"Hello last"
    connection.close()


def ask(
    client: http.client.HTTPConnection,
    method: str,
    path: str,
    body: bytes | None = None,
    status: int = 200,
    **fields: str,
) -> bytes:
    named = {name.replace("_", "-"): text for name, text in fields.items()}
    client.request(method, path, body, named)
    response = client.getresponse()
    data = response.read()
    assert response.status == status, data[:500]
    return data


def test_query_and_path(client: http.client.HTTPConnection) -> None:
    assert ask(client, "GET", "/hello?name=%C3%A9") == "Hello é".encode()
    name = "Zoë & co"
    assert ask(client, "GET", "/name/" + quote(name)) == name.encode()


def test_head(client: http.client.HTTPConnection) -> None:
    client.request("HEAD", "/hello?name=x")
    response = client.getresponse()
    assert response.status in (200, 405)
    assert response.read() == b""


def test_form(client: http.client.HTTPConnection) -> None:
    sent = {"a": "1", "b": "x y&z"}
    data = ask(
        client,
        "POST",
        "/form",
        urlencode(sent).encode(),
        Content_Type="application/x-www-form-urlencoded",
    )
    assert json.loads(data) == sent


@pytest.mark.parametrize("size", [0, 1, 100_000, 2_000_000])
def test_upload(client: http.client.HTTPConnection, size: int) -> None:
    content = os.urandom(size)
    body = (
        b'--%b\r\nContent-Disposition: form-data; name="data"; '
        b'filename="f.bin"\r\nContent-Type: application/octet-stream\r\n\r\n'
        b"%b\r\n--%b--\r\n"
    ) % (BOUNDARY.encode(), content, BOUNDARY.encode())
    data = ask(
        client,
        "POST",
        "/upload",
        body,
        Content_Type="multipart/form-data; boundary=" + BOUNDARY,
    )
    assert data.decode() == hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize("size", [1, 70_000, 1_500_000])
def test_raw_body(client: http.client.HTTPConnection, size: int) -> None:
    content = os.urandom(size)
    data = ask(
        client, "POST", "/raw", content, Content_Type="application/x-raw"
    )
    assert data.decode() == hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize("blocks", [0, 1, 2, 1000])
def test_stream(client: http.client.HTTPConnection, blocks: int) -> None:
    assert ask(client, "GET", "/stream?blocks=%d" % blocks) == BLOCK * blocks


def test_file(client: http.client.HTTPConnection, data_file: Path) -> None:
    for _ in range(3):
        assert ask(client, "GET", "/file") == data_file.read_bytes()


def test_cookies(client: http.client.HTTPConnection) -> None:
    client.request("GET", "/cookies")
    response = client.getresponse()
    assert response.read() == b"two"
    cookies = response.headers.get_all("Set-Cookie", [])
    assert [cookie.split("=")[0] for cookie in cookies] == ["a", "b"]


def test_failure(client: http.client.HTTPConnection) -> None:
    assert b"from the application" not in ask(
        client, "GET", "/fail", status=500
    )
    ask(client, "GET", "/nowhere", status=404)


def test_many_at_once(framework: Target, data_file: Path) -> None:
    """Eight clients that mix files, streams and uploads."""
    content = data_file.read_bytes()
    digest = hashlib.sha256(content).hexdigest().encode()
    wrong: list[str] = []

    def work() -> None:
        connection = connect(framework)
        with contextlib.closing(connection):
            for _ in range(4):
                if ask(connection, "GET", "/file") != content:
                    wrong.append("file")
                if ask(connection, "GET", "/stream?blocks=50") != BLOCK * 50:
                    wrong.append("stream")
                raw = ask(
                    connection,
                    "POST",
                    "/raw",
                    content,
                    Content_Type="application/x-raw",
                )
                if raw != digest:
                    wrong.append("raw")

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
