"""A row by its key from PostgreSQL, and its neighbours by an index.

The driver (pg8000) is in Python: the same one everywhere.
"""

import json
import os
import threading

CONTENT_TYPE = "application/json"
_local = threading.local()
_state = {}


def setup(services):
    _state.update(services["postgres"])


def _connection():
    """One for each thread of each process."""
    if getattr(_local, "pid", None) != os.getpid():
        from pg8000 import dbapi

        _local.connection = dbapi.connect(
            user=_state["user"],
            host=_state["host"],
            port=_state["port"],
            database=_state["database"],
        )
        _local.connection.autocommit = True
        _local.pid = os.getpid()
    return _local.connection


def task():
    cursor = _connection().cursor()
    cursor.execute("SELECT name, town FROM people WHERE id = %s", (1234,))
    name, town = cursor.fetchone()
    cursor.execute("SELECT id FROM people WHERE town = %s ORDER BY id", (town,))
    ids = [row[0] for row in cursor.fetchall()]
    cursor.close()
    return json.dumps([name, town, ids]).encode("ascii")
