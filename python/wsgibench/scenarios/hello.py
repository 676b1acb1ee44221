"""The 40-byte HTML page: what the server itself costs."""

from __future__ import annotations

HELP = "a 40-byte HTML page"
APP = "hello"
SPEAKS = ["wsgi", "page", "task"]
BODY = b"<html><body>Hello, World!</body></html>\n"
