"""Fetching a page over HTTPS."""

from __future__ import annotations

from wsgibench.services import _content

HELP = "fetch a page over HTTPS"
APP = "fetch_tls"
BODY = _content.PAGE
REQUIRES = ["requests"]
SERVICES = ["tls-origin"]
DELAY = 0.02
