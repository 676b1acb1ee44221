"""Redis, SQL, triple stores, files."""

from __future__ import annotations

import functools
import json
from typing import Any

from wsgibench.services import _content


def names(count: int) -> bytes:
    """What so many queries for a name find."""
    return json.dumps([_content.name(n) for n in range(count)]).encode()


def neighbours() -> bytes:
    return json.dumps(_content.neighbours(1234)).encode()


def numbered() -> bytes:
    return b"".join(b"%07d\n" % number for number in range(10000))


SCENARIOS: dict[str, dict[str, Any]] = {
    "redis": {
        "about": "a value from Redis",
        "app": "redis_get",
        "body": _content.VALUE,
        "requires": ["redis"],
        "services": ["redis"],
    },
    "database-sqlite": {
        "about": "a row by key and its neighbours by index, from sqlite",
        "app": "database_sqlite",
        "body": neighbours,
    },
    "database-postgres": {
        "about": "a row by key and its neighbours by index, from postgres",
        "app": "database_postgres",
        "body": neighbours,
        "requires": ["pg8000"],
        "services": ["postgres"],
    },
    "triples": {
        "about": "one query to a triple store (SPARQL)",
        "app": "triples",
        "body": functools.partial(names, 1),
        "services": ["virtuoso"],
        "delay": 0.01,
    },
    "triples-two": {
        "about": "two queries to a triple store",
        "app": "triples_two",
        "body": functools.partial(names, 2),
        "services": ["virtuoso"],
        "delay": 0.01,
    },
    "triples-many": {
        "about": "ten queries to a triple store",
        "app": "triples_many",
        "body": functools.partial(names, 10),
        "services": ["virtuoso"],
        "delay": 0.01,
    },
    "triples-pycurl": {
        "about": "one query to a triple store, with pycurl",
        "app": "triples_pycurl",
        "body": functools.partial(names, 1),
        "requires": [
            "pycurl; platform_python_implementation == 'CPython'",
            # What came after does not build on it.
            "pycurl==7.43.0.6; platform_python_implementation == 'PyPy'",
        ],
        "services": ["virtuoso"],
        "delay": 0.01,
    },
    "triples-geventhttpclient": {
        "about": "one query to a triple store, with geventhttpclient",
        "app": "triples_geventhttpclient",
        "body": functools.partial(names, 1),
        "requires": ["geventhttpclient"],
        "services": ["virtuoso"],
        "delay": 0.01,
    },
    "file": {
        "about": "read a file, write a temporary one, answer with it",
        "app": "file",
        "body": numbered,
    },
}
