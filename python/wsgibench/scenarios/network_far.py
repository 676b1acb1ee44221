"""Fetching a page over a link with delay."""

from __future__ import annotations

from wsgibench.services import _content

HELP = "fetch a page over a link with 50 ms of round trip"
APP = "fetch"
BODY = _content.PAGE
REQUIRES = ["requests"]
SERVICES = ["far-origin"]
DELAY = 0.1
