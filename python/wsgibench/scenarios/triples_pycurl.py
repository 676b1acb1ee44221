"""A triple store behind the server: one query, with pycurl."""

from __future__ import annotations

import json

from wsgibench.services import _content

HELP = "one query to a triple store, with pycurl"
APP = "triples_pycurl"
SERVICES = ["virtuoso"]
REQUIRES = [
    "pycurl; platform_python_implementation == 'CPython'",
    # What came after does not build on it.
    "pycurl==7.43.0.6; platform_python_implementation == 'PyPy'",
]
DELAY = 0.01


def BODY() -> bytes:
    return json.dumps([_content.name(n) for n in range(1)]).encode()
