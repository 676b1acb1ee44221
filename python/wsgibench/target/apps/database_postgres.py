"""A row by its key from PostgreSQL, and its neighbours by an index.

The driver (pg8000) is in Python: the same one everywhere.
"""

import json
import os
import threading

CONTENT_TYPE = "application/json"
#: Connections of each process: what a pool of the usual libraries holds. One
#: for each thread would be one for each request under gevent.
POOL = 5

_lock = threading.Lock()
_state = {}


def setup(services):
    _state.update(services["postgres"])


def _pool():
    """(connections at rest, places), of this process: workers are forked."""
    with _lock:
        if _state.get("pid") != os.getpid():
            _state["pool"] = [], threading.BoundedSemaphore(POOL)
            _state["pid"] = os.getpid()
        return _state["pool"]


def _connect():
    from pg8000 import dbapi

    connection = dbapi.connect(
        user=_state["user"],
        host=_state["host"],
        port=_state["port"],
        database=_state["database"],
    )
    connection.autocommit = True
    return connection


def task():
    idle, places = _pool()
    with places:
        connection = idle.pop() if idle else _connect()
        answer = _ask(connection.cursor())
        idle.append(connection)  # one that failed is not used again
    return answer


def _ask(cursor):
    cursor.execute("SELECT name, town FROM people WHERE id = %s", (1234,))
    name, town = cursor.fetchone()
    cursor.execute("SELECT id FROM people WHERE town = %s ORDER BY id", (town,))
    ids = [row[0] for row in cursor.fetchall()]
    cursor.close()
    return json.dumps([name, town, ids]).encode("ascii")
