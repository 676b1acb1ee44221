"""A database behind the server: two queries to sqlite."""

from __future__ import annotations

import json

from wsgibench.services import _content

HELP = "a row by key and its neighbours by index, from sqlite"
APP = "database_sqlite"


def BODY() -> bytes:
    return json.dumps(_content.neighbours(1234)).encode()
