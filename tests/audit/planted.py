"""Servers with one fault each, around wsgiref, for the audit to find."""

from __future__ import annotations

import contextlib
import importlib
import io
import os
import socket
import sys
import threading
from typing import Any
from wsgiref.headers import Headers
from wsgiref.simple_server import (
    ServerHandler,
    WSGIRequestHandler,
    WSGIServer,
)

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nX-Method: GET\r\n\r\n%s"
SEEN = b'{"environ": {"PATH_INFO": "%s"}, "body": ""}'


class Handler(WSGIRequestHandler):
    handler = ServerHandler

    def log_message(self, *arguments: Any) -> None:
        pass


def bounded(app: Any) -> Any:
    """wsgiref's own input has no end."""

    def wrapped(environ: dict[str, Any], start_response: Any) -> Any:
        size = int(environ.get("CONTENT_LENGTH") or 0)
        environ["wsgi.input"] = io.BytesIO(environ["wsgi.input"].read(size))
        return app(environ, start_response)

    return wrapped


def serve_wsgi(port: int, app: Any) -> None:
    server = WSGIServer(("127.0.0.1", port), Handler)
    server.set_app(bounded(app))
    server.serve_forever()


class Unchecked(Headers):
    """Writes what the application gives it: wsgiref's own refuses control
    characters in newer releases of Python (bpo-11671)."""

    def __init__(self, headers: list[tuple[str, str]]) -> None:
        super().__init__([])
        self._headers = headers


def writes_any_field(port: int, app: Any) -> None:
    ServerHandler.headers_class = Unchecked
    serve_wsgi(port, app)


def dies_of_a_path(port: int, app: Any) -> None:
    """Its process ends when it is asked for /die."""

    def watched(environ: dict[str, Any], start_response: Any) -> Any:
        if environ["PATH_INFO"] == "/die":
            os._exit(9)
        return app(environ, start_response)

    serve_wsgi(port, watched)


def ends_with_the_application(port: int, app: Any) -> None:
    """Lets SystemExit and KeyboardInterrupt end the process."""

    def watched(environ: dict[str, Any], start_response: Any) -> Any:
        try:
            return app(environ, start_response)
        except (SystemExit, KeyboardInterrupt):
            os._exit(1)

    serve_wsgi(port, watched)


def never_rests(port: int, app: Any) -> None:
    """Has a thread that spins, and none of the application's starts: each
    waits for the next request."""

    def spin() -> None:
        while True:
            pass

    waiting: list[threading.Thread] = []
    start = threading.Thread.start

    def later(thread: threading.Thread) -> None:
        waiting.append(thread)

    def watched(environ: dict[str, Any], start_response: Any) -> Any:
        while waiting:
            start(waiting.pop())
        return app(environ, start_response)

    threading.Thread(target=spin, daemon=True).start()
    threading.Thread.start = later  # type: ignore
    serve_wsgi(port, watched)


def takes_a_read_for_a_request(port: int, app: Any) -> None:
    """What it reads at a time is a request to it, whole or not."""
    with socket.create_server(("127.0.0.1", port)) as listener:
        while True:
            client, _ = listener.accept()
            with client, contextlib.suppress(OSError):
                client.settimeout(5)
                _answer_one_read(client)


def splits_lines(port: int, app: Any) -> None:
    """Ignores Content-Length: what is in a body is the next request."""
    with socket.create_server(("127.0.0.1", port)) as listener:
        while True:
            client, _ = listener.accept()
            with client:
                client.settimeout(5)
                _split(client)


def _answer_one_read(client: socket.socket) -> None:
    data = client.recv(65536)
    whole = data.endswith(b"\r\n\r\n")
    target = data.split(b" ")[1] if whole else b""
    body = b"last" if target == b"/wsgi/last" else SEEN % target
    status = b"200 OK" if whole else b"400 Bad Request"
    head = b"HTTP/1.1 %s\r\nConnection: close\r\nContent-Length: %d\r\n\r\n"
    client.sendall(head % (status, len(body)) + body)


def _split(client: socket.socket) -> None:
    data = b""
    while True:
        while b"\r\n\r\n" not in data:
            try:
                piece = client.recv(65536)
            except OSError:
                return
            if not piece:
                return
            data += piece
        head, _, data = data.partition(b"\r\n\r\n")
        found = [part for part in head.split(b"\r\n") if b"HTTP/1." in part]
        target = found[-1].split(b" ")[1] if found else b"/"
        body = SEEN % target
        client.sendall(ANSWER % (len(body), body))
        if b"close" in head:
            return


def talks_nonsense(port: int, app: Any) -> None:
    """200 and a body that is nobody's, whatever is asked; it runs the
    application for control only."""

    def nonsense(environ: dict[str, Any], start_response: Any) -> Any:
        if environ["PATH_INFO"] in ("/wsgi/clear", "/wsgi/last"):
            return app(environ, start_response)
        start_response("200 OK", [("Content-Length", "2")])
        return [b"hi"]

    serve_wsgi(port, nonsense)


if __name__ == "__main__":
    application = importlib.import_module("wsgibench_audit").application

    globals()[sys.argv[1]](int(sys.argv[2]), application)
