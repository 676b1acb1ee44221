"""Fetching a page from a web server on this machine."""

from __future__ import annotations

from wsgibench.services import _content

HELP = "fetch a page from a local web server"
APP = "fetch"
BODY = _content.PAGE
REQUIRES = ["requests"]
SERVICES = ["near-origin"]
