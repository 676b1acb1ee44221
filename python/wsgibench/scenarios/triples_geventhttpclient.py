"""A triple store behind the server: one query, with gevent's own client."""

from __future__ import annotations

import json

from wsgibench.services import _content

HELP = "one query to a triple store, with geventhttpclient"
APP = "triples_geventhttpclient"
SERVICES = ["virtuoso"]
REQUIRES = ["geventhttpclient"]
DELAY = 0.01


def BODY() -> bytes:
    return json.dumps([_content.name(n) for n in range(1)]).encode()
