"""Redirects that are followed, and cookies that a connection keeps."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from typing import Any, Callable

import pytest

from tests.load.raw import OK, Raw
from wsgibench.errors import UsageError
from wsgibench.load.spec import LoadSpec

Load = Callable[..., dict[str, Any]]
Serve = Callable[[Callable[[str], bytes]], Raw]


def moved(status: int, location: str, *more: str) -> bytes:
    lines = ["HTTP/1.1 %d Moved" % status, "Content-Length: 0", *more]
    if location:
        lines.append("Location: " + location)
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def ok(*more: str) -> bytes:
    lines = ["HTTP/1.1 200 OK", "Content-Length: 2", *more]
    return ("\r\n".join(lines) + "\r\n\r\nok").encode("latin-1")


@pytest.fixture
def serve() -> Iterator[Serve]:
    servers: list[Raw] = []

    def start(by_target: Callable[[str], bytes]) -> Raw:
        def answer(_: int, data: bytes) -> bytes | None:
            said = by_target(data.split(b" ")[1].decode())
            return said or None

        servers.append(Raw(answer))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


def lines(server: Raw) -> list[str]:
    """The request lines, over all connections."""
    text = b"".join(server.received).decode("latin-1")
    return [line for line in text.split("\r\n") if " HTTP/1.1" in line]


def cookies(server: Raw) -> list[str]:
    """What each request said."""
    text = b"".join(server.received).decode("latin-1")
    said = []
    for head in text.split("\r\n\r\n")[:-1]:
        found = [
            line.partition(": ")[2]
            for line in head.split("\r\n")
            if line.lower().startswith("cookie:")
        ]
        assert len(found) <= 1
        said.append(found[0] if found else "")
    return said


@pytest.mark.parametrize(
    ("location", "target"),
    [
        ("/end", "/end"),
        ("/end?q=1#here", "/end?q=1"),
        ("end", "/a/end"),
        ("../end", "/end"),
        ("./../../../end/.", "/end/"),
        ("?q=2", "/a/b?q=2"),
        ("http://HOST/end", "/end"),
        ("HTTP://HOST", "/"),
        ("//HOST/x/../end", "/end"),
    ],
)
def test_locations(
    load: Load, serve: Serve, location: str, target: str
) -> None:
    host: list[str] = []

    def answer(asked: str) -> bytes:
        if asked == "/a/b?c":
            return moved(302, location.replace("HOST", host[0]))
        return OK

    server = serve(answer)
    host.append("127.0.0.1:%d" % server.port)
    url = server.url + "a/b?c"
    result = load(url, requests=2, duration=60, follow=5)
    assert result["classes"]["ok"] == 2, result["samples"]
    assert result["connections"]["redirects"] == 2
    assert result["statuses"] == {"200": 2}
    assert len(server.received) == 1
    assert (
        lines(server)
        == [
            "GET /a/b?c HTTP/1.1",
            "GET %s HTTP/1.1" % target,
        ]
        * 2
    )


def test_each_link_of_http_1_0_gets_a_connection(
    load: Load, serve: Serve
) -> None:
    """As clients of 2010 did under load: /0, and on to /1 and /2."""

    def answer(target: str) -> bytes:
        number = int(target[1:])
        said = moved(302, "/%d" % (number + 1)) if number < 2 else ok()
        return said.replace(b"HTTP/1.1", b"HTTP/1.0")

    server = serve(answer)
    result = load(
        server.url + "0",
        requests=12,
        connections=3,
        duration=60,
        follow=5,
        http10=True,
        keepalive=False,
    )
    assert result["classes"]["ok"] == 12, result["samples"]
    assert result["connections"]["redirects"] == 24
    assert result["statuses"] == {"200": 12}
    asked = sorted(data.split(b"\r\n")[0] for data in server.received)
    every = [b"GET /%d HTTP/1.0" % number for number in range(3)]
    assert asked == sorted(every * 12)


@pytest.mark.parametrize(
    ("status", "method", "then"),
    [
        (301, "POST", "GET"),
        (302, "POST", "GET"),
        (302, "PUT", "PUT"),
        (303, "PUT", "GET"),
        (303, "HEAD", "HEAD"),
        (307, "POST", "POST"),
        (308, "POST", "POST"),
    ],
)
def test_methods(
    load: Load, serve: Serve, status: int, method: str, then: str
) -> None:
    def answer(target: str) -> bytes:
        if target == "/":
            return moved(status, "/end")
        return OK if method != "HEAD" else OK[:-2]

    server = serve(answer)
    body = b"" if method == "HEAD" else b"a body\r\n"
    result = load(
        server.url,
        requests=1,
        duration=60,
        follow=5,
        method=method,
        body=body,
        extra_headers=(("Content-Type", "text/plain"),),
    )
    assert result["classes"]["ok"] == 1, result["samples"]
    assert lines(server) == [
        "%s / HTTP/1.1" % method,
        "%s /end HTTP/1.1" % then,
    ]
    second = b"".join(server.received).split(b" /end ")[1]
    assert second.endswith(b"\r\n\r\n" if then != method else body)
    assert (b"Content-" in second) == (then == method)


@pytest.mark.parametrize(
    "location",
    [
        "http://example.org/",
        "https://HOST/",
        "http://HOST.example.org/",
        "ftp://HOST/",
        "",
        "/" + "x" * 3000,
        "/a\rX-Evil: 1",
        "/a b",
    ],
)
def test_what_is_not_followed_is_the_answer(
    load: Load, serve: Serve, location: str
) -> None:
    host: list[str] = []
    server = serve(lambda _: moved(302, location.replace("HOST", host[0])))
    host.append("127.0.0.1:%d" % server.port)
    result = load(server.url, requests=3, duration=60, follow=5)
    assert result["classes"]["bad_status"] == 3
    assert result["connections"]["redirects"] == 0
    assert lines(server) == ["GET / HTTP/1.1"] * 3


def test_a_loop_ends_at_the_limit(load: Load, serve: Serve) -> None:
    server = serve(lambda _: moved(307, "/"))
    result = load(server.url, requests=4, duration=60, follow=7)
    assert result["classes"]["bad_status"] == 4
    assert result["statuses"] == {"307": 4}
    assert result["connections"]["redirects"] == 28
    assert len(lines(server)) == 32


@pytest.mark.parametrize("rate", [0.0, 500.0])
@pytest.mark.parametrize(
    "fields", [{}, {"keepalive": False}, {"per_connection": 1}]
)
def test_over_another_connection(
    load: Load, serve: Serve, rate: float, fields: dict[str, Any]
) -> None:
    """The server closes behind each redirect, and says so."""

    def answer(target: str) -> bytes:
        return moved(302, "/end", "Connection: close") if target == "/" else OK

    server = serve(answer)
    result = load(
        server.url,
        connections=3,
        requests=30,
        duration=60,
        rate=rate,
        follow=1,
        **fields,
    )
    assert result["classes"]["ok"] == 30, result["samples"]
    assert result["connections"]["redirects"] == 30
    assert sorted(set(lines(server))) == [
        "GET / HTTP/1.1",
        "GET /end HTTP/1.1",
    ]
    assert len(lines(server)) == 60


def test_a_redirect_without_length_ends_with_its_connection(
    load: Load,
) -> None:
    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            asked = self.request.recv(65536)
            bare = b"HTTP/1.1 302 Found\r\nLocation: /end\r\n\r\nbody"
            last = ok("Connection: close")
            self.request.sendall(last if b" /end " in asked else bare)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        url = "http://127.0.0.1:%d/" % server.server_address[1]
        result = load(url, requests=5, duration=60, follow=5)
        server.shutdown()
        thread.join()
    assert result["classes"]["ok"] == 5, result["samples"]
    assert result["connections"]["redirects"] == 5
    assert result["connections"]["connects"] == 10


def test_off_costs_no_redirect(load: Load, serve: Serve) -> None:
    server = serve(lambda _: moved(302, "/end", "Set-Cookie: a=1"))
    result = load(server.url, requests=2, duration=60, expect_status=(302,))
    assert result["classes"]["ok"] == 2
    assert cookies(server) == ["", ""]


def test_cookies_are_set_replaced_and_deleted(
    load: Load, serve: Serve
) -> None:
    steps = [
        ok("Set-Cookie: a=1; Path=/; HttpOnly", "set-cookie: b=2"),
        ok("Set-Cookie: a=3; Max-Age=1000; Expires=Thu, 01 Jan 1970 0:0:0"),
        ok("Set-Cookie: b=; Max-Age=0"),
        ok("Set-Cookie: a=; Expires=Thu, 01 Jan 1970 00:00:00 GMT"),
        ok("Set-Cookie: c=4; Path=/else", "Set-Cookie: d=5; Path=/x"),
        ok("Set-Cookie: e=1\rf", "Set-Cookie: none", "Set-Cookie: =1"),
        ok("Set-Cookie: big=" + "x" * 5000),
        ok("Set-Cookie: d=; Path=/x; Expires=Monday, 01-Jan-70 00:00:00 GMT"),
        ok(),
    ]
    left = iter(steps)
    server = serve(lambda _: next(left))
    url = server.url + "x/y"
    result = load(url, requests=len(steps), duration=60, cookies=True)
    assert result["classes"]["ok"] == len(steps), result["samples"]
    assert cookies(server) == [
        "",
        "a=1; b=2",
        "b=2; a=3",
        "a=3",
        "",
        "d=5",
        "d=5",
        "d=5",
        "",
    ]


def test_own_cookies_stay_and_the_jar_is_bounded(
    load: Load, serve: Serve
) -> None:
    numbers = iter(range(1000))
    server = serve(lambda _: ok("Set-Cookie: n%d=v" % next(numbers)))
    result = load(
        server.url,
        requests=80,
        duration=60,
        cookies=True,
        extra_headers=(("Cookie", "own=1"),),
    )
    assert result["classes"]["ok"] == 80
    last = cookies(server)[-1].split("; ")
    assert last == ["own=1", *("n%d=v" % i for i in range(29, 79))]


def test_each_connection_is_a_visitor_also_over_a_redirect(
    load: Load, serve: Serve
) -> None:
    numbers = iter(range(1000))

    def answer(target: str) -> bytes:
        if target == "/":
            cookie = "Set-Cookie: id=%d" % next(numbers)
            return moved(303, "/in", cookie, "Connection: close")
        return OK

    server = serve(answer)
    result = load(
        server.url,
        connections=2,
        requests=20,
        duration=60,
        follow=5,
        cookies=True,
    )
    assert result["classes"]["ok"] == 20, result["samples"]
    text = b"".join(server.received).decode()
    signed_in = text.split("GET /in ")[1:]
    assert len(signed_in) == 20
    assert all("\r\nCookie: id=" in one for one in signed_in)


def test_no_pipelining() -> None:
    for fields in ({"follow": 5}, {"cookies": True}):
        with pytest.raises(UsageError, match="no pipelining"):
            LoadSpec("http://127.0.0.1:1/", pipeline=2, **fields).check()
    with pytest.raises(UsageError, match="0 to 255"):
        LoadSpec("http://127.0.0.1:1/", follow=300).check()
