"""The 40-byte page from a Flask view."""

from __future__ import annotations

from wsgibench.scenarios.hello import BODY as BODY

HELP = "a 40-byte HTML page from a Flask view"
APP = "hello"
FRAMEWORK = "flask"
