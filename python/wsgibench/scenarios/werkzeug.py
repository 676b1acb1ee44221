"""The 40-byte page from Werkzeug."""

from __future__ import annotations

from wsgibench.scenarios.hello import BODY as BODY

HELP = "a 40-byte HTML page with Werkzeug's Request and Response"
APP = "hello"
FRAMEWORK = "werkzeug"
