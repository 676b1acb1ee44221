"""The same with requests-futures."""

from __future__ import annotations

from wsgibench.services import _content

HELP = "fetch a page over that link with requests-futures"
APP = "fetch_futures"
BODY = _content.PAGE
REQUIRES = ["requests-futures"]
SERVICES = ["far-origin"]
DELAY = 0.1
