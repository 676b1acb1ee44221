"""The 40-byte page, and a line in a log for every request."""

from __future__ import annotations

from wsgibench.scenarios.hello import BODY as BODY

HELP = "a 40-byte HTML page, and a log line with the client's address"
APP = "hello_logged"
SPEAKS = ["wsgi", "logged"]
OPTIONS = {"log": True}
