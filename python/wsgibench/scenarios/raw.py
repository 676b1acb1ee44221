"""The 40-byte page from servers that speak HTTP by hand."""

from __future__ import annotations

from wsgibench.scenarios.hello import BODY as BODY

HELP = "a 40-byte HTML page, by hand on a raw socket"
APP = "hello"
SPEAKS = ["raw"]
