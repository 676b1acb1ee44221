"""The application behind the cases: tells what reached it."""

from __future__ import annotations

import json
from typing import Any

calls: dict[str, int] = {"count": 0}


def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    path = environ["PATH_INFO"]
    if path == "/calls":
        return reply(environ, start_response, calls)
    calls["count"] += 1
    stream = environ["wsgi.input"]
    body = b""
    if path == "/over-read":
        body = stream.read(1 << 20) + stream.read(1 << 20) + stream.read(1)
    elif path != "/unread":
        body = stream.read()
    seen = {key: environ[key] for key in environ if key.isupper()}
    return reply(
        environ,
        start_response,
        {"environ": seen, "body": body.decode("latin-1")},
    )


def reply(
    environ: dict[str, Any], start_response: Any, payload: object
) -> list[bytes]:
    body = json.dumps(payload).encode("ascii")
    start_response(
        "200 OK",
        [
            ("Content-Type", "application/json"),
            ("Content-Length", str(len(body))),
            # Tells the client that no body follows the answer to a HEAD.
            ("X-Method", environ["REQUEST_METHOD"]),
        ],
    )
    return [body]
