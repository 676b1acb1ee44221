"""Requests of one header block may be given one and the same environ, as long
as the application leaves it as it was; nobody may notice."""

from __future__ import annotations

import contextlib
import random
import socket
import sys
import threading
from collections.abc import Iterator
from typing import Any, Callable

import pytest

from wsgibench import Server

ROUNDS = 2000


class App:
    """Does to its environ what the query says, and notes what was wrong."""

    def __init__(self) -> None:
        self.wrong: list[Any] = []
        self.kept: list[tuple[str, dict[str, Any]]] = []
        self.size = 0
        self.server: Server | None = None

    def __call__(self, environ: dict[str, Any], start: Any) -> Any:
        what, _, number = environ["QUERY_STRING"].partition("-")
        self.size = self.size or len(environ)
        if len(environ) != self.size or environ["HTTP_X_FIELD"] != "sent":
            self.wrong.append((what, environ))
        body = number.encode()
        start("200 OK", [("Content-Length", str(len(body)))])
        return getattr(self, what)(environ, body)

    def read(self, environ: dict[str, Any], body: bytes) -> Any:
        return [body] if environ["PATH_INFO"] == "/" else [b""]

    def add(self, environ: dict[str, Any], body: bytes) -> Any:
        environ["added"] = body
        return [body]

    def change(self, environ: dict[str, Any], body: bytes) -> Any:
        environ["HTTP_X_FIELD"] = "changed"
        return [body]

    def change_back(self, environ: dict[str, Any], body: bytes) -> Any:
        environ["HTTP_X_FIELD"] = environ.pop("HTTP_X_FIELD")
        return [body]

    def keep(self, environ: dict[str, Any], body: bytes) -> Any:
        self.kept.append((body.decode(), environ))
        return [body]

    def helper(self, environ: dict[str, Any], body: bytes) -> Any:
        """The change is made by another thread."""
        thread = threading.Thread(target=environ.update, args=({"added": 1},))
        thread.start()
        thread.join()
        return [body]

    def late(self, environ: dict[str, Any], body: bytes) -> Iterator[bytes]:
        yield b""
        environ.clear()
        yield body

    def fail(self, environ: dict[str, Any], body: bytes) -> Any:
        del environ["HTTP_X_FIELD"]
        raise ValueError(body)

    def nest(self, environ: dict[str, Any], body: bytes) -> Any:
        """Serves others meanwhile, with the same header block."""
        before = dict(environ)
        assert self.server is not None
        self.server.turn(0)
        if environ != before:
            self.wrong.append(("nest", environ))
        return [body]


def head(what: str) -> bytes:
    return b"GET /?%b HTTP/1.1\r\nHost: a\r\nX-Field: sent\r\n\r\n" % (
        what.encode()
    )


def one_answer(stream: Any) -> tuple[bytes, bytes]:
    status, size = stream.readline(), 0
    for field in iter(stream.readline, b"\r\n"):
        if field.lower().startswith(b"content-length:"):
            size = int(field.split()[1])
    return status, stream.read(size)


def test_what_one_request_does_no_other_sees() -> None:
    app = App()
    rng = random.Random(1)
    rare = ["add", "change", "change_back", "keep", "late", "helper"]
    with Server(app, port=0) as server:
        with socket.create_connection(server.address, 30) as client:
            stream = client.makefile("rb")
            for number in range(ROUNDS):
                name = "read"
                if rng.random() < 0.05:  # most of the time it is lent
                    name = rng.choice(rare)
                client.sendall(head("%s-%d" % (name, number)))
                _, body = one_answer(stream)
                assert body == b"%d" % number, name
    assert app.wrong == []
    for number_text, environ in app.kept:
        assert environ["QUERY_STRING"] == "keep-" + number_text


def test_an_environ_that_a_failure_spoilt_is_not_given_again() -> None:
    app = App()
    with Server(app, port=0) as server:
        for what in ("read", "read", "read", "fail", "read", "fail", "read"):
            with socket.create_connection(server.address, 30) as client:
                client.sendall(head(what + "-1"))
                status, _ = one_answer(client.makefile("rb"))
            assert (b" 500 " in status) == (what == "fail")
    assert app.wrong == []


def test_an_application_that_turns_its_own_server() -> None:
    app = App()
    server = app.server = Server(app, port=0)
    pairs = [socket.create_connection(server.address, 30) for _ in range(2)]
    try:
        for number in range(1, 21):
            for client in pairs:
                client.sendall(head("nest-1"))
            while server.stats()["responses"] < 2 * number:
                server.turn(1)
            for client in pairs:
                assert one_answer(client.makefile("rb"))[1] == b"1"
    finally:
        for client in pairs:
            client.close()
        server.stop(0)
    assert app.wrong == []


def fields_back(environ: dict[str, Any], start: Any) -> list[bytes]:
    body = "|".join(environ["HTTP_X_" + name] for name in "ABC").encode()
    start("200 OK", [("Content-Length", str(len(body)))])
    return [body]


@pytest.mark.parametrize("threads", [0, 2])
def test_each_request_has_its_own_fields(
    serve_app: Callable[..., Server], threads: int
) -> None:
    """Lines that come again, that come once, more than the tables of lines
    hold; and blocks of them that come again."""
    rng = random.Random(4)
    sent: list[list[str]] = []
    server = serve_app(fields_back, threads=threads)
    with socket.create_connection(server.address, 30) as client:
        stream = client.makefile("rb")
        for number in range(2 * ROUNDS):
            values = [
                str(rng.randrange(3)),
                rng.choice(["x", "new-%d" % number]),
                "value-%d" % rng.randrange(1500),
            ]
            if sent and rng.random() < 0.3:
                values = rng.choice(sent[-5:])
            sent.append(values)
            client.sendall(
                b"GET / HTTP/1.1\r\nHost: a\r\n"
                b"X-A: %b\r\nX-B: %b\r\nX-C: %b\r\n\r\n"
                % tuple(value.encode() for value in values)
            )
            assert one_answer(stream)[1].decode() == "|".join(values)
        stream.close()


class Meeting:
    """Two of its calls are under way at once, and change their environs."""

    def __init__(self) -> None:
        self.barrier = threading.Barrier(2)
        self.wrong: list[dict[str, Any]] = []

    def __call__(self, environ: dict[str, Any], start: Any) -> list[bytes]:
        query = environ["QUERY_STRING"]
        right = "mine" not in environ
        if query.startswith("meet"):
            self.barrier.wait(30)
            environ["mine"] = query
            self.barrier.wait(30)
            right = right and environ["mine"] == environ["QUERY_STRING"]
        if not right:
            self.wrong.append(environ)
        start("200 OK", [("Content-Length", str(len(query)))])
        return [query.encode()]


def test_threads_that_meet_have_environs_of_their_own(
    serve_app: Callable[..., Server],
) -> None:
    app = Meeting()
    server = serve_app(app, threads=3)
    with contextlib.ExitStack() as stack:
        clients = [
            stack.enter_context(socket.create_connection(server.address, 30))
            for _ in range(2)
        ]
        streams = [
            stack.enter_context(client.makefile("rb")) for client in clients
        ]
        for number in range(20):
            for _ in range(20):  # quick ones between: those may be lent
                clients[0].sendall(head("quick"))
                assert one_answer(streams[0])[1] == b"quick"
            for client, name in zip(clients, "ab"):
                client.sendall(head("meet-%s%d" % (name, number)))
            for stream, name in zip(streams, "ab"):
                assert one_answer(stream)[1] == b"meet-%s%d" % (
                    name.encode(),
                    number,
                )
    assert app.wrong == []


class Ports:
    """Keeps REMOTE_PORT in every way that an application can."""

    def __init__(self) -> None:
        self.rng = random.Random(2)
        self.kept: list[tuple[str, str]] = []  # (the text, a copy of it)
        self.keys: dict[str, str] = {}

    def __call__(self, environ: dict[str, Any], start: Any) -> list[bytes]:
        text = environ["REMOTE_PORT"]
        copy = "".join(list(text))
        if self.rng.random() < 0.1:
            self.kept.append((text, copy))
        if self.rng.random() < 0.1:
            self.keys[text] = copy
        if self.rng.random() < 0.1:
            sys.intern(text)
        if self.rng.random() < 0.1:
            hash(text)
        if self.rng.random() < 0.1:
            environ["added"] = ""
        assert {text: 1}.get(copy) == 1  # its hash is that of its characters
        start("200 OK", [("Content-Length", str(len(text)))])
        return [text.encode()]


def clients(address: tuple[str, int]) -> list[socket.socket]:
    """From ports of four and of five digits."""
    found = [socket.create_connection(address, 30) for _ in range(6)]
    for port in range(9000, 9200):
        if len(found) < 9:
            with contextlib.suppress(OSError):
                found.append(
                    socket.create_connection(address, 30, ("127.0.0.1", port))
                )
    return found


def test_whoever_keeps_a_port_has_it_for_good() -> None:
    """The server keeps the texts of ports, too."""
    app, rng = Ports(), random.Random(3)
    with Server(app, port=0) as server:
        pairs = clients(server.address)
        streams = [client.makefile("rb") for client in pairs]
        try:
            for _ in range(ROUNDS):
                which = rng.randrange(len(pairs))
                pairs[which].sendall(head("port"))
                _, body = one_answer(streams[which])
                assert int(body) == pairs[which].getsockname()[1]
        finally:
            for client, stream in zip(pairs, streams):
                stream.close()
                client.close()
    assert app.kept
    assert app.keys
    for text, copy in (*app.kept, *app.keys.items()):
        assert text == copy
        assert hash(text) == hash(copy)
        assert app.keys.get(copy, copy) == copy
