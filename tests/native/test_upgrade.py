"""An application takes its connection over: WebSocket by flask-sock, and by
hand; and what remains of the server's."""

from __future__ import annotations

import socket
import struct
import threading
from pathlib import Path
from typing import Any, Callable

import pytest

from tests.native.test_tls import certificate, connect  # noqa: F401

Start = Callable[..., Any]
UPGRADE = (
    b"GET /%s HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\n"
    b"Upgrade: echo\r\n\r\n"
)
SWITCH = b"HTTP/1.1 101 Switching Protocols\r\n\r\n"


def read_all(sock: socket.socket) -> bytes:
    data = b""
    while True:
        piece = sock.recv(65536)
        if not piece:
            return data
        data += piece


class Echo:
    """Speaks a protocol of its own: lines, until "bye"."""

    def __init__(self) -> None:
        self.results: list[Any] = []
        self.ended = threading.Event()
        self.closed = threading.Event()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        path = environ["PATH_INFO"]
        sock = environ.get("wsgibench.socket")
        if path == "/plain" or sock is None:
            start_response("200 OK", [("X-Socket", str(sock is not None))])
            return [b"plain"]
        if path == "/late":
            write = start_response("200 OK", [("Content-Length", "4")])
            write(b"body")
            with pytest.raises(RuntimeError):
                sock.sendall(b"no")
            return []
        sock.sendall(SWITCH)
        with sock.makefile("rb") as stream:
            for line in stream:
                sock.sendall(b"> " + line)
                if line == b"bye\n":
                    break
        self.ended.set()
        if path == "/raise":
            sock.close()
            raise ValueError("after it has taken over")
        if path == "/answer":
            start_response("200 OK", [("Content-Length", "6")])(b"unseen")
        elif path == "/respond":
            sock.close()
            start_response("200 OK", [])
            return [b"unseen"]
        elif path == "/kept":
            self.results.append(sock)
            return Closing(self.closed)
        sock.close()
        return Closing(self.closed)


class Closing(list):  # type: ignore[type-arg]
    def __init__(self, closed: threading.Event) -> None:
        super().__init__([b"unseen"])
        self.closed = closed

    def close(self) -> None:
        self.closed.set()


def converse(sock: socket.socket, path: bytes = b"") -> None:
    with sock.makefile("rb") as stream:
        sock.sendall(UPGRADE % path)
        assert stream.read(len(SWITCH)) == SWITCH
        for line in (b"one\n", b"two\n"):
            sock.sendall(line)
            assert stream.readline() == b"> " + line


def dial(server: Any) -> socket.socket:
    return socket.create_connection(server.address[:2], 30)


@pytest.mark.parametrize("path", [b"", b"raise", b"answer", b"respond"])
def test_the_connection_is_the_applications(
    serve_app: Start,
    path: bytes,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    log = tmp_path / "log"
    echo = Echo()
    server = serve_app(
        echo, threads=2, access_log=str(log), log_format="%(s)s %(U)s"
    )
    with dial(server) as sock:
        converse(sock, path)
        assert server.stats()["connections"] == 1
        sock.sendall(b"bye\n")
        assert read_all(sock) == b"> bye\n"
    server.stop()
    assert log.read_text() == "101 /%s\n" % path.decode()
    errors = capfd.readouterr().err
    assert ("after it has taken over" in errors) == (path == b"raise")
    assert "AssertionError" not in errors


def test_others_are_served_meanwhile(serve_app: Start) -> None:
    server = serve_app(Echo(), threads=2)
    with dial(server) as sock:
        converse(sock)
        for _ in range(3):
            with dial(server) as other:
                other.sendall(
                    b"GET /plain HTTP/1.1\r\nHost: a\r\n"
                    b"Connection: close\r\n\r\n"
                )
                assert read_all(other).endswith(b"plain")
        sock.sendall(b"bye\n")
        assert read_all(sock) == b"> bye\n"


def test_bytes_that_came_with_the_request(serve_app: Start) -> None:
    server = serve_app(Echo(), threads=1)
    early = b"x" * 9000 + b"\nbye\n"
    with dial(server) as sock:
        sock.sendall(UPGRADE % b"" + early)
        assert read_all(sock) == (SWITCH + b"> " + early[:9001] + b"> bye\n")


def test_after_answers_on_the_same_connection(serve_app: Start) -> None:
    server = serve_app(Echo(), threads=1)
    plain = b"GET /plain HTTP/1.1\r\nHost: a\r\n\r\n"
    with dial(server) as sock:
        sock.sendall(plain * 3 + UPGRADE % b"" + b"bye\n")
        data = read_all(sock)
    assert data.count(b"plain") == 3
    assert data.endswith(SWITCH + b"> bye\n")


def test_it_lives_on_when_the_call_is_back(serve_app: Start) -> None:
    echo = Echo()
    server = serve_app(echo, threads=1)
    with dial(server) as sock:
        converse(sock, b"kept")
        sock.sendall(b"bye\n")
        assert echo.closed.wait(30)
        (kept,) = echo.results
        assert sock.recv(100) == b"> bye\n"
        kept.sendall(b"still here\n")
        assert sock.recv(100) == b"still here\n"
        kept.close()
        assert sock.recv(100) == b""


def test_a_stop_ends_it(serve_app: Start) -> None:
    """After the grace; the application sees the end of its input."""
    echo = Echo()
    server = serve_app(echo, threads=1)
    with dial(server) as sock:
        converse(sock)
        server.stop(0.2)
        assert echo.ended.is_set()
        assert echo.closed.wait(30)
        assert read_all(sock) == b""


def test_a_client_that_vanishes(serve_app: Start) -> None:
    echo = Echo()
    server = serve_app(echo, threads=1)
    sock = dial(server)
    converse(sock)
    sock.setsockopt(
        socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
    )
    sock.close()
    with dial(server) as other:  # the only thread is free again
        other.sendall(UPGRADE % b"plain")
        assert other.recv(1000).startswith(b"HTTP/1.1 200 ")


def test_looking_at_the_environ_takes_nothing(serve_app: Start) -> None:
    def app(environ: dict[str, Any], start_response: Any) -> Any:
        repr(environ)
        dict(environ)
        assert "werkzeug.socket" in environ
        assert not hasattr(environ["werkzeug.socket"], "__deepcopy__")
        start_response("200 OK", [])
        return [b"here"]

    server = serve_app(app, threads=1)
    with dial(server) as sock:
        for _ in range(2):
            sock.sendall(UPGRADE % b"")
            assert sock.recv(1000).endswith(b"here")


def test_an_answer_that_has_begun(serve_app: Start) -> None:
    server = serve_app(Echo(), threads=1)
    with dial(server) as sock:
        for _ in range(2):
            sock.sendall(UPGRADE % b"late")
            data = sock.recv(1000)
            while not data.endswith(b"body"):
                data += sock.recv(1000)


@pytest.mark.parametrize("threads", [0, 1])
def test_without_threads_or_upgrade_there_is_no_socket(
    serve_app: Start, threads: int
) -> None:
    server = serve_app(Echo(), threads=threads)
    requests = [
        b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.0\r\nConnection: upgrade, keep-alive\r\n\r\n",
    ]
    if not threads:
        requests.append(UPGRADE % b"")
    with dial(server) as sock:
        for raw in requests * 3:
            sock.sendall(raw)
            assert b"X-Socket: False\r\n" in sock.recv(1000)


def test_not_under_tls(
    serve_app: Start,
    certificate: Any,  # noqa: F811
) -> None:
    cert, key = certificate
    server = serve_app(Echo(), threads=1, certfile=cert, keyfile=key)
    with connect(server, certificate) as sock:
        sock.sendall(UPGRADE % b"")
        assert b"X-Socket: False\r\n" in sock.recv(1000)


# flask-sock -----------------------------------------------------------------


def test_flask_sock(serve_app: Start) -> None:
    flask = pytest.importorskip("flask")
    flask_sock = pytest.importorskip("flask_sock")
    websocket = pytest.importorskip("websocket")
    app = flask.Flask(__name__)
    sock = flask_sock.Sock(app)

    @sock.route("/echo")  # type: ignore[untyped-decorator]
    def echo(ws: Any) -> None:
        while True:
            data = ws.receive()
            if data == "close":
                return
            ws.send(data[::-1])

    @app.route("/page")  # type: ignore[untyped-decorator]
    def page() -> str:
        return "page"

    server = serve_app(app, threads=3)
    url = "ws://%s:%d/echo" % server.address[:2]
    clients = [websocket.create_connection(url, timeout=30) for _ in range(2)]
    for number, client in enumerate(clients):
        client.send("hello %d" % number)
        client.send_binary(b"\x00\xff" * 70000)
    for number, client in enumerate(clients):
        assert client.recv() == "%d olleh" % number
        assert client.recv() == b"\xff\x00" * 70000
    with dial(server) as other:
        other.sendall(
            b"GET /page HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
        )
        assert read_all(other).endswith(b"page")
    clients[0].send("close")  # the server ends it
    assert clients[0].recv() == ""
    clients[1].close()  # the client does
    for _ in range(4):  # both threads are free again
        client = websocket.create_connection(url, timeout=30)
        client.send("x")
        assert client.recv() == "x"
        client.close()
