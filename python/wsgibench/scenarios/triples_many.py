"""A triple store behind the server: ten queries to a triple store."""

from __future__ import annotations

import json

from wsgibench.services import _content

HELP = "ten queries to a triple store"
APP = "triples_many"
SERVICES = ["virtuoso"]

DELAY = 0.01


def BODY() -> bytes:
    return json.dumps([_content.name(n) for n in range(10)]).encode()
