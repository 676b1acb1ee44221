"""threads=N: whoever polls serves, and another goes on when it is held up."""

from __future__ import annotations

import http.client
import socket
import threading
from collections.abc import Iterator
from typing import Any, Callable

Start = Callable[..., Any]
WAIT = 60.0


class Held:
    """An application: /held waits until /release is asked for."""

    def __init__(self) -> None:
        self.held = threading.Semaphore(0)
        self.released = threading.Event()
        self.threads: set[int] = set()

    def __call__(
        self, environ: dict[str, Any], start_response: Any
    ) -> list[bytes]:
        self.threads.add(threading.get_ident())
        if environ["PATH_INFO"] == "/held":
            self.held.release()
            assert self.released.wait(WAIT)
        elif environ["PATH_INFO"] == "/spin":
            self.held.release()
            while not self.released.is_set():
                pass
        elif environ["PATH_INFO"] == "/release":
            self.released.set()
        start_response("200 OK", [("Content-Length", "2")])
        return [b"ok"]


def connect(server: Any) -> http.client.HTTPConnection:
    host, port = server.address[:2]
    return http.client.HTTPConnection(host, port, timeout=WAIT)


def ask(connection: http.client.HTTPConnection, path: str) -> None:
    connection.request("GET", path)
    answered(connection)


def answered(connection: http.client.HTTPConnection) -> None:
    with connection.getresponse() as response:
        assert response.status == 200
        assert response.read() == b"ok"


def hold(
    server: Any, app: Held, count: int, path: str = "/held"
) -> list[http.client.HTTPConnection]:
    connections = [connect(server) for _ in range(count)]
    for connection in connections:
        connection.request("GET", path)
    for _ in connections:
        assert app.held.acquire(timeout=WAIT)
    return connections


def test_quick_requests_pass_those_that_wait(serve_app: Start) -> None:
    app = Held()
    server = serve_app(app, threads=3)
    waiting = hold(server, app, 2)
    one = connect(server)
    for _ in range(200):
        ask(one, "/")
    for _ in range(20):
        other = connect(server)
        ask(other, "/")
        other.close()
    ask(one, "/release")
    for connection in waiting:
        answered(connection)
        connection.close()
    one.close()
    assert len(app.threads) <= 3


def test_a_computation_lets_others_pass(serve_app: Start) -> None:
    app = Held()
    server = serve_app(app, threads=2)
    (computing,) = hold(server, app, 1, "/spin")
    other = connect(server)
    ask(other, "/release")
    answered(computing)
    computing.close()
    other.close()


def test_the_loop_goes_on_while_all_are_held(serve_app: Start) -> None:
    app = Held()
    server = serve_app(app, threads=2)
    waiting = hold(server, app, 2)
    with socket.create_connection(server.address, timeout=WAIT) as raw:
        raw.sendall(b"no request\r\n\r\n")
        assert raw.recv(100).startswith(b"HTTP/1.1 400 ")
    app.released.set()
    for connection in waiting:
        answered(connection)
        connection.close()


def test_one_thread_is_one(serve_app: Start) -> None:
    """What an application keeps for its thread (an sqlite3 connection) fits
    for every request, held up or not."""
    app = Held()
    server = serve_app(app, threads=1)
    one, (held,) = connect(server), hold(server, app, 1)
    one.request("GET", "/")
    app.released.set()
    answered(held)
    answered(one)
    for _ in range(50):
        ask(one, "/")
    held.close()
    one.close()
    assert len(app.threads) == 1


def test_what_comes_after_an_answer_whose_close_waits(
    serve_app: Start,
) -> None:
    second = threading.Event()

    class Body:
        def __iter__(self) -> Iterator[bytes]:
            yield b"first"

        def close(self) -> None:
            assert second.wait(WAIT)

    def app(environ: dict[str, Any], start_response: Any) -> Any:
        start_response("200 OK", [("Content-Length", "5")])
        if environ["PATH_INFO"] == "/first":
            return Body()
        second.set()
        return [b"other"]

    server = serve_app(app, threads=2)
    with socket.create_connection(server.address, timeout=WAIT) as raw:
        raw.sendall(
            b"GET /first HTTP/1.1\r\nHost: a\r\n\r\n"
            b"GET /second HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
        )
        data = b""
        while more := raw.recv(1000):
            data += more
    assert data.endswith(b"other")
    assert b"first" in data
