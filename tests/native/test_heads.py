"""Heads are remembered - as objects, as bytes, as they went out - and none of
it may show: each answer has the head that was given for it."""

from __future__ import annotations

import random
import socket
import time
from email.utils import parsedate_to_datetime
from typing import Any

import pytest

from tests.native.process import until
from wsgibench import Server

ROUNDS = 3000

Headers = list[Any]


class Text(str):
    """A str that is none exactly."""


class Pairs(list):  # type: ignore[type-arg]
    pass


CONSTANT = ("Content-Type", "text/html")


def heads(rng: random.Random, length: int) -> tuple[str, Headers]:
    """Made of what came before and of what only looks like it."""
    status = rng.choice(["200 OK", " ".join(["200", "OK"]), Text("200 OK")])
    status = rng.choice([status] * 8 + ["201 Created", "404 Not Found"])
    headers: Headers = [CONSTANT]
    if rng.random() < 0.2:
        headers = [("Content-Type", rng.choice(["text/html", "text/htm_"]))]
    if rng.random() < 0.1:
        headers.append((Text("X-More"), Text(rng.randrange(3))))
    if rng.random() < 0.1:
        headers.append(("X-Long", "\xe4" * 2000))
    if rng.random() < 0.7:
        headers.append(("Content-Length", str(length)))
    if rng.random() < 0.03:
        headers.append(("Date", "Thu, 01 Jan 1970 00:00:00 GMT"))
    if rng.random() < 0.03:
        headers += [("X-%d" % i, "v") for i in range(20)]
    return status, Pairs(headers) if rng.random() < 0.1 else headers


class App:
    def __init__(self, variety: float) -> None:
        self.rng = random.Random(4)
        self.variety = variety
        self.usual = ("200 OK", [CONSTANT, ("Content-Length", "2")])
        self.given: tuple[str, Headers, bytes] = ("", [], b"")

    def __call__(self, environ: dict[str, Any], start: Any) -> list[bytes]:
        body = b"hi"
        status, headers = self.usual
        if self.rng.random() < self.variety:
            body = b"x" * self.rng.choice([0, 2, 3, 10])
            status, headers = heads(self.rng, len(body))
        self.given = (status, headers, body)
        start(status, headers)
        return [body]


def request(rng: random.Random) -> tuple[bytes, bool, bool, bool]:
    """(bytes, HEAD?, HTTP/1.0?, close?)"""
    head, old = rng.random() < 0.1, rng.random() < 0.1
    close = rng.random() < 0.05
    option = "close" if close else "keep-alive"
    text = "%s / HTTP/1.%d\r\nHost: a\r\nConnection: %s\r\n\r\n" % (
        *("HEAD" if head else "GET", 0 if old else 1, option),
    )
    return text.encode(), head, old, close


def expected(
    given: tuple[str, Headers, bytes], head: bool, old: bool, close: bool
) -> list[bytes]:
    """But for Server and Date of the server."""
    status, headers, body = given
    lines = ["HTTP/1.1 " + status]
    lines += ["%s: %s" % h for h in headers if h[0] != "Content-Length"]
    announced = any(name == "Content-Length" for name, _ in headers)
    if announced or body or not head:
        lines.append("Content-Length: %d" % len(body))
    if close or old:
        lines.append("Connection: " + ("close" if close else "keep-alive"))
    return sorted(line.encode("latin-1") for line in lines)


def read_answer(stream: Any, head: bool) -> tuple[list[bytes], bytes]:
    lines = [stream.readline().rstrip(b"\r\n")]
    size = 0
    for line in iter(stream.readline, b"\r\n"):
        assert line.endswith(b"\r\n")
        lines.append(line[:-2])
        if line.startswith(b"Content-Length: "):
            size = int(line.split()[1])
    return lines, b"" if head else stream.read(size)


@pytest.mark.parametrize("variety", [0.02, 0.3, 1.0])
def test_each_answer_has_its_own_head(variety: float) -> None:
    app, rng = App(variety), random.Random(5)
    with Server(app, port=0) as server:
        client = socket.create_connection(server.address, 30)
        stream = client.makefile("rb")
        for _ in range(ROUNDS):
            data, head, old, close = request(rng)
            asked = time.time()
            client.sendall(data)
            lines, body = read_answer(stream, head)
            assert lines.count(b"Server: wsgibench") == 1
            lines.remove(b"Server: wsgibench")
            own = any(name == "Date" for name, _ in app.given[1])
            dates = [line for line in lines if line.startswith(b"Date: ")]
            assert len(dates) == 1
            if not own:
                lines.remove(dates[0])
                date = parsedate_to_datetime(dates[0][6:].decode())
                # The second of the answer; the kernel's clock is coarse.
                assert int(asked) - 1 <= date.timestamp() <= time.time()
            assert sorted(lines) == expected(app.given, head, old, close)
            assert body == (b"" if head else app.given[2])
            if close:
                assert stream.read(1) == b""
                client.close()
                client = socket.create_connection(server.address, 30)
                stream = client.makefile("rb")
        client.close()


def test_the_date_goes_on() -> None:
    """Over the end of a second, with one head."""
    app = App(0)
    seen: set[bytes] = set()
    with Server(app, port=0) as server:
        with socket.create_connection(server.address, 30) as client:
            stream = client.makefile("rb")

            def three() -> bool:
                client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
                lines, _ = read_answer(stream, False)
                seen.update(one for one in lines if one.startswith(b"Date: "))
                return len(seen) == 3

            until(three, "the Date stands still")


BAD = [
    ("200 OK", [CONSTANT, ("Content-Length", 2)]),
    ("200 OK", [CONSTANT, ("Content-Length", b"2")]),
    ("200 OK", [CONSTANT, ("Content-Length",)]),
    ("200 OK", [CONSTANT, ["Content-Length", "2"]]),
    ("200 OK", [CONSTANT, ("Content-Length", "\u0662")]),
    (b"200 OK", [CONSTANT, ("Content-Length", "2")]),
    ("200 OK", (CONSTANT, ("Content-Length", "2"))),
]


@pytest.mark.parametrize("bad", BAD, ids=repr)
def test_a_bad_head_is_not_taken_for_the_last_one(bad: Any) -> None:
    given = [("200 OK", [CONSTANT, ("Content-Length", "2")])] * 3
    given = [*given, bad, given[0]]
    raised = []

    def app(environ: dict[str, Any], start: Any) -> list[bytes]:
        try:
            start(*given.pop(0))
        except (TypeError, ValueError) as error:
            raised.append(error)
            raise
        return [b"hi"]

    statuses = []
    with Server(app, port=0) as server:
        for _ in range(5):
            with socket.create_connection(server.address, 30) as client:
                client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
                lines, _ = read_answer(client.makefile("rb"), False)
                statuses.append(lines[0].split()[1])
    assert statuses == [b"200", b"200", b"200", b"500", b"200"]
    assert len(raised) == 1
