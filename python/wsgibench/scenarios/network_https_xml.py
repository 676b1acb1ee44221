"""Fetching over HTTPS, then work for the processor: parsing XML."""

from __future__ import annotations

from wsgibench.services import _content

HELP = "fetch a feed over HTTPS and parse it"
APP = "fetch_xml"
BODY = _content.feed_summary
REQUIRES = ["requests"]
SERVICES = ["tls-origin"]
DELAY = 0.03
