"""Servers with one fault each, around wsgiref, for the audit to find."""

from __future__ import annotations

import importlib
import io
import os
import socket
import sys
from typing import Any
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


def splits_lines(port: int, app: Any) -> None:
    """Ignores Content-Length: what is in a body is the next request."""
    with socket.create_server(("127.0.0.1", port)) as listener:
        while True:
            client, _ = listener.accept()
            with client:
                client.settimeout(5)
                _split(client)


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
