"""Asks an application on the server under test."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Iterator
from typing import Any, Callable

from tests.wire.target import Target, receive_all
from wsgibench.audit.wire.exchange import Script, connect, exchange
from wsgibench.audit.wire.responses import Response, finals, parse_all

App = Callable[..., Any]
LAST = b"GET /control/last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"


def path_of(app: App, query: str = "", validated: bool = False) -> str:
    prefix = "/validated" if validated else ""
    path = "%s/%s/%s" % (prefix, app.__module__.split(".")[-1], app.__name__)
    return path + ("?" + query if query else "")


def request(
    app: App,
    *,
    method: str = "GET",
    query: str = "",
    fields: tuple[str, ...] = (),
    body: bytes = b"",
    chunked: bool = False,
    version: str = "1.1",
    validated: bool = False,
) -> bytes:
    path = path_of(app, query, validated)
    lines = ["%s %s HTTP/%s" % (method, path, version), "Host: a", *fields]
    if chunked:
        lines.append("Transfer-Encoding: chunked")
        body = (
            b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
            if body
            else b"0\r\n\r\n"
        )
    elif body:
        lines.append("Content-Length: %d" % len(body))
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


class Client:
    def __init__(self, target: Target) -> None:
        self.target = target

    @contextlib.contextmanager
    def connection(self) -> Iterator[socket.socket]:
        with contextlib.closing(connect(self.target.address)) as sock:
            yield sock

    def exchange(self, raw: bytes, *methods: str) -> list[Response]:
        """Send and read at once until the server closes; parse strictly."""
        script = Script([raw], limit=1 << 28)
        (reply,) = exchange(self.target.address, [script])
        assert reply.end != "deadline", reply.data[:1000]
        return finals(parse_all(reply.data, methods))

    def ask(self, app: App, **more: Any) -> Response:
        """One request and one behind it, which must be answered, too."""
        method = more.get("method", "GET")
        answers = self.exchange(request(app, **more) + LAST, method)
        assert len(answers) == 2, answers
        assert answers[0].complete, answers[0]
        assert answers[1].body == b'"done"', "the connection is out of step"
        return answers[0]

    def once(self, app: App, **more: Any) -> Response:
        """One request; the connection may or must end with its answer."""
        method = more.get("method", "GET")
        answers = self.exchange(request(app, **more) + LAST, method)
        assert answers, "no answer at all"
        if len(answers) > 1:
            assert answers[1].body == b'"done"', "out of step"
        return answers[0]

    def raw(self, app: App, **more: Any) -> bytes:
        fields = (*more.pop("fields", ()), "Connection: close")
        return self.target.send(request(app, fields=fields, **more))

    def notes(self, least: int = 0, within: float = 9.0) -> list[Any]:
        """What the application noted, once there are `least` entries: with
        threads, close() may run after the client has its whole answer."""
        until = time.monotonic() + within
        while True:
            found = list(self.target.json("/control/notes"))
            if len(found) >= least or time.monotonic() > until:
                return found

    def clear(self) -> None:
        self.target.get("/control/clear")

    def collect(self) -> None:
        self.target.get("/control/collect")

    def wait_note(self, first: str, within: float = 9.0) -> list[Any]:
        """The first note that starts with `first`; asks until it is there."""
        until = time.monotonic() + within
        while True:
            for entry in self.notes():
                if entry[0] == first:
                    return list(entry)
            assert time.monotonic() < until, "no note %r" % first

    def read_all(self, sock: socket.socket) -> bytes:
        return receive_all(sock)

    def log_text(self) -> str:
        return self.target.log_text()
