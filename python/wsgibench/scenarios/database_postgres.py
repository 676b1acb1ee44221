"""A database behind the server: two queries to postgres."""

from __future__ import annotations

import json

from wsgibench.services import _content

HELP = "a row by key and its neighbours by index, from postgres"
APP = "database_postgres"
REQUIRES = ["pg8000"]
SERVICES = ["postgres"]


def BODY() -> bytes:
    return json.dumps(_content.neighbours(1234)).encode()
