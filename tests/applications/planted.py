"""A server that breaks answers in the way that $PLANTED names; put into an
environment as `waitress`, it is raced as that."""

from __future__ import annotations

import gzip
import os
import socket
import socketserver
from collections.abc import Callable
from typing import Any
from wsgiref.simple_server import (
    ServerHandler,
    WSGIRequestHandler,
    WSGIServer,
)

Headers = list[tuple[str, str]]
Head = tuple[str, Headers]


def without(name: str, headers: Headers) -> Headers:
    return [one for one in headers if one[0] != name]


def drops(handler: Handler, status: str, headers: Headers) -> Head:
    return status, without("X-Route", headers)


def doubles(handler: Handler, status: str, headers: Headers) -> Head:
    return status, [*headers, ("Set-Cookie", "a=1")]


def adds(handler: Handler, status: str, headers: Headers) -> Head:
    return status, [*headers, ("X-Powered-By", "me")]


def charset(handler: Handler, status: str, headers: Headers) -> Head:
    found = without("Content-Type", headers)
    return status, [*found, ("Content-Type", "text/plain; charset=latin-1")]


def no_length(handler: Handler, status: str, headers: Headers) -> Head:
    return status, without("Content-Length", headers)


def folds(handler: Handler, status: str, headers: Headers) -> Head:
    """One line of cookies, as for fields that are lists."""
    cookies = ", ".join(v for name, v in headers if name == "Set-Cookie")
    return status, [*without("Set-Cookie", headers), ("Set-Cookie", cookies)]


def etag(handler: Handler, status: str, headers: Headers) -> Head:
    weak = [(name, "W/" + v) for name, v in headers if name == "ETag"]
    return status, [*without("ETag", headers), *weak]


def location(handler: Handler, status: str, headers: Headers) -> Head:
    there = [
        (name, "http://localhost" + v)
        for name, v in headers
        if name == "Location"
    ]
    return status, [*without("Location", headers), *there]


def says_gzip(handler: Handler, status: str, headers: Headers) -> Head:
    if status.startswith("304"):
        return status, headers
    found = without("Content-Length", headers)
    return status, [*found, ("Content-Encoding", "gzip")]


def other_status(handler: Handler, status: str, headers: Headers) -> Head:
    return status.replace("404 Not Found", "200 OK"), headers


def lower_case(handler: Handler, status: str, headers: Headers) -> Head:
    return status, [(name, value.lower()) for name, value in headers]


def strips_cookie(handler: Handler, status: str, headers: Headers) -> Head:
    """Scripts may read it then."""
    return status, [(k, v.replace("; HttpOnly", "")) for k, v in headers]


def ok_for_304(handler: Handler, status: str, headers: Headers) -> Head:
    return "200 OK" if status.startswith("304") else status, headers


def head_status(handler: Handler, status: str, headers: Headers) -> Head:
    is_head = handler.environ["REQUEST_METHOD"] == "HEAD"
    return "501 Not Implemented" if is_head else status, headers


def head_length(handler: Handler, status: str, headers: Headers) -> Head:
    if handler.environ["REQUEST_METHOD"] == "HEAD":
        found = without("Content-Length", headers)
        headers = [*found, ("Content-Length", "0")]
    return status, headers


def cut(handler: Handler, blocks: list[bytes]) -> list[bytes]:
    return [b"".join(blocks)[:-1]]


def other_byte(handler: Handler, blocks: list[bytes]) -> list[bytes]:
    return [b"".join(blocks).replace(b"page", b"Page", 1)]


def zipped(handler: Handler, blocks: list[bytes]) -> list[bytes]:
    body = b"".join(blocks)
    return [gzip.compress(body)] if body else blocks


def word(handler: Handler, blocks: list[bytes]) -> list[bytes]:
    return [b"".join(blocks).replace(b"said", b"sent")]


def body_to_304(handler: Handler, blocks: list[bytes]) -> list[bytes]:
    return [b"the page"] if handler.status.startswith("304") else blocks


def body_to_head(handler: Handler, blocks: list[bytes]) -> list[bytes]:
    is_head = handler.environ["REQUEST_METHOD"] == "HEAD"
    return [b"the page"] if is_head else blocks


class Swap:
    """After a while some get the answer of who asked before them."""

    after = 30

    def __init__(self) -> None:
        self.last: dict[str, list[bytes]] = {}
        self.count = 0

    def __call__(self, handler: Handler, blocks: list[bytes]) -> list[bytes]:
        path = handler.environ["PATH_INFO"]
        last = self.last.get(path, blocks)
        self.last[path] = blocks
        self.count += 1
        return last if self.count > self.after else blocks


class Cache:
    """Gives everybody what the first one got who asked for it."""

    def __init__(self) -> None:
        self.first: dict[tuple[str, str], list[bytes]] = {}

    def __call__(self, handler: Handler, blocks: list[bytes]) -> list[bytes]:
        asked = handler.environ["REQUEST_METHOD"], handler.environ["PATH_INFO"]
        return self.first.setdefault(asked, blocks)


def under_load(handler: Handler, blocks: list[bytes]) -> list[bytes]:
    """Only two visitors ask before the load."""
    is_new = handler.environ.get("HTTP_COOKIE") == "visitor=3"
    return other_byte(handler, blocks) if is_new else blocks


#: name -> (of the head, of the body)
FAULTS: dict[str, tuple[Callable[..., Head] | None, Any]] = {
    "nothing": (None, None),
    "drops a header": (drops, None),
    "doubles a cookie": (doubles, None),
    "adds a header": (adds, None),
    "another charset": (charset, None),
    "folds cookies": (folds, None),
    "another ETag": (etag, None),
    "another Location": (location, None),
    "compresses": (says_gzip, zipped),
    "no length": (no_length, None),
    "another case": (lower_case, None),
    "strips a cookie": (strips_cookie, None),
    "200 for 304": (ok_for_304, None),
    "another status": (other_status, None),
    "another status to HEAD": (head_status, None),
    "another length to HEAD": (head_length, None),
    "truncates": (no_length, cut),
    "breaks what was promised": (None, cut),
    "another byte": (None, other_byte),
    "a word in what changes": (None, word),
    "a body to 304": (None, body_to_304),
    "a body to HEAD": (None, body_to_head),
    "swaps answers": (None, Swap),
    "caches": (None, Cache),
    "wrong under load": (None, under_load),
}


class Handler(ServerHandler):
    http_version = "1.0"
    head: Any = None
    body: Any = None
    result: Any
    environ: Any
    status: Any

    def finish_content(self) -> None:
        """Adds no Content-Length."""

    def start_response(
        self, status: str, headers: Headers, exc_info: Any = None
    ) -> Any:
        if self.head:
            status, headers = self.head(self, status, list(headers))
        return ServerHandler.start_response(
            self, status, list(headers), exc_info
        )

    def set_content_length(self) -> None:
        """Nor here."""

    def finish_response(self) -> None:
        if self.body:
            self.result = self.body(self, list(self.result))
        ServerHandler.finish_response(self)


class Requests(WSGIRequestHandler):
    answering: Any = Handler

    def log_message(self, *_: Any) -> None:
        """Says nothing."""

    def handle(self) -> None:
        self.raw_requestline = self.rfile.readline(65537)
        if self.parse_request():
            handler: Any = self.answering(
                self.rfile, self.wfile, self.get_stderr(), self.get_environ()
            )
            handler.request_handler = self
            server: Any = self.server
            handler.run(server.get_app())


class Made(socketserver.ThreadingMixIn, WSGIServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    class adj:
        threads = 1
        asyncore_use_poll = False

    run = WSGIServer.serve_forever


def create_server(
    app: Any, sockets: list[socket.socket], fault: str = "", **_: Any
) -> Made:
    """As waitress.create_server."""
    head, body = FAULTS[fault or os.environ.get("PLANTED", "nothing")]
    if isinstance(body, type):
        body = body()

    class Broken(Handler):
        pass

    def bound(function: Any) -> Any:
        return staticmethod(function) if function else None

    Broken.head, Broken.body = bound(head), bound(body)

    class Asked(Requests):
        answering = Broken

    made = Made(sockets[0].getsockname(), Asked, bind_and_activate=False)
    made.socket.close()
    made.socket = sockets[0]
    made.server_name, made.server_port = sockets[0].getsockname()[:2]
    made.setup_environ()
    made.set_app(app)
    return made
