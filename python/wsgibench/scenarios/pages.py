"""Pages: what the server itself costs."""

from __future__ import annotations

from typing import Any

HELLO = b"<html><body>Hello, World!</body></html>\n"

SCENARIOS: dict[str, dict[str, Any]] = {
    "hello": {
        "about": "a 40-byte HTML page",
        "app": "hello",
        "body": HELLO,
        "speaks": ["wsgi", "page", "task"],
    },
    "hello-json": {
        "about": "a small JSON object, dumped for every request",
        "app": "hello_json",
        "body": b'{"message": "helowrld"}',
    },
    "hello-logged": {
        "about": "a 40-byte HTML page, and a log line with the "
        "client's address",
        "app": "hello_logged",
        "body": HELLO,
        "speaks": ["wsgi", "logged"],
        "options": {"log": True},
    },
    "raw": {
        "about": "a 40-byte HTML page, by hand on a raw socket",
        "app": "hello",
        "body": HELLO,
        "speaks": ["raw"],
    },
    "flask": {
        "about": "a 40-byte HTML page from a Flask view",
        "app": "hello",
        "body": HELLO,
        "framework": "flask",
    },
    "werkzeug": {
        "about": "a 40-byte HTML page with Werkzeug's Request and Response",
        "app": "hello",
        "body": HELLO,
        "framework": "werkzeug",
    },
}
