"""request_finished fires once for every response: it is sent by close(), and
Django gives its database connections back there."""

from __future__ import annotations

import socket
from typing import Any, Callable

import pytest

from tests.frameworks.test_frameworks import connect
from tests.native.process import until
from tests.wire.target import Target


def finished(target: Target) -> int:
    """So far; this request's own signal comes after its answer."""
    return int(target.get("/finished").body)


def test_fires_for_every_response(
    start_framework: Callable[..., Any], mode: dict[str, Any]
) -> None:
    paths = [
        ("GET", "/hello?name=x"),
        ("HEAD", "/hello?name=x"),
        ("GET", "/stream?blocks=0"),
        ("GET", "/stream?blocks=300"),
        ("HEAD", "/stream?blocks=300"),
        ("GET", "/file"),
        ("HEAD", "/file"),
        ("GET", "/fail"),
        ("GET", "/nowhere"),
    ]
    with start_framework("django", **mode) as target:
        client = connect(target)
        expected = 0
        for method, path in paths * 3:
            client.request(method, path)
            client.getresponse().read()
            expected += 1

            def fired() -> bool:
                # Each question is a request, and ends with a signal, too.
                nonlocal expected
                expected += 1
                return finished(target) >= expected - 1

            until(fired, "no signal for %s %s" % (method, path))
        assert expected - 1 <= finished(target) <= expected
        client.close()


@pytest.mark.parametrize("path", ["/stream?blocks=100000", "/file"])
def test_fires_when_the_client_leaves(
    start_framework: Callable[..., Any], mode: dict[str, Any], path: str
) -> None:
    with start_framework("django", **mode) as target:
        for _ in range(5):
            with socket.create_connection(target.address, 30) as sock:
                sock.sendall(
                    b"GET %s HTTP/1.1\r\nHost: a\r\n\r\n" % path.encode()
                )
                assert sock.recv(1000).startswith(b"HTTP/1.1 200")
        asked = 0

        def fired() -> bool:
            nonlocal asked
            asked += 1
            return finished(target) >= 5 + asked - 1

        until(fired, "close() was not called for a lost client")
