"""Answers with what reached it: CGI values and body, as JSON."""

from __future__ import absolute_import

import json

calls = {"count": 0}


def application(environ, start_response):
    path = environ["PATH_INFO"]
    if path == "/calls":
        return reply(environ, start_response, calls)
    calls["count"] += 1
    stream = environ["wsgi.input"]
    body = b""
    if path == "/over-read":
        body = stream.read(1 << 20) + stream.read(1 << 20) + stream.read(1)
    elif path != "/unread":
        body = whole(environ)
    seen = dict((key, environ[key]) for key in environ if key.isupper())
    payload = {"environ": seen, "body": body.decode("latin-1")}
    return reply(environ, start_response, payload)


def whole(environ):
    """The body, read as frameworks do. Not every server lets read() end
    where the body does (PEP 3333: it should)."""
    stream = environ["wsgi.input"]
    length = environ.get("CONTENT_LENGTH") or ""
    if length.isdigit():
        return stream.read(int(length))
    if "HTTP_TRANSFER_ENCODING" in environ or length:
        return stream.read()
    if environ.get("wsgi.input_terminated"):
        return stream.read()
    return b""


def reply(environ, start_response, payload):
    body = json.dumps(payload, default=repr).encode("ascii")
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
