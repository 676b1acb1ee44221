"""No request sees what belongs to another, however many are at work."""

from __future__ import annotations

import socket
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tests.wsgi.app import plain
from tests.wsgi.client import Client

CONNECTIONS = 6
REQUESTS = 400
METHODS = ("GET", "POST", "PUT")


def line(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    text = "%(REQUEST_METHOD)s %(QUERY_STRING)s" % environ
    environ["REQUEST_METHOD"] = environ["wsgi.changed"] = "spoilt"
    return plain(start_response, text.encode("ascii"))


def _ask(address: Any, number: int) -> list[tuple[str, str]]:
    """One header block for all, so that its environ is shared; every request
    line is another one."""
    wrong = []
    with socket.create_connection(address, 30) as sock:
        stream = sock.makefile("rb")
        for i in range(REQUESTS):
            method, query = METHODS[i % 3], "%d-%d" % (number, i)
            sock.sendall(
                (
                    "%s /test_isolation/line?%s HTTP/1.1\r\nHost: a\r\n\r\n"
                    % (method, query)
                ).encode("ascii")
            )
            size = 0
            for field in iter(stream.readline, b"\r\n"):
                if field.lower().startswith(b"content-length:"):
                    size = int(field.split()[1])
            text = stream.read(size).decode("ascii")
            if text != "%s %s" % (method, query):
                wrong.append((text, query))
    return wrong


def test_every_request_has_its_own_line(client: Client) -> None:
    address = client.target.address
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        found = pool.map(_ask, [address] * CONNECTIONS, range(CONNECTIONS))
        assert [wrong for wrong in found if wrong] == []
