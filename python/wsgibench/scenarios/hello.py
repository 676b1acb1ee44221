"""The 40-byte HTML page: what the server itself costs."""

from __future__ import annotations

HELP = "a 40-byte HTML page"
APP = "hello"
PATH = "/"
STATUS = 200
BODY = b"<html><body>Hello, World!</body></html>\n"
SERVICES: list[str] = []
