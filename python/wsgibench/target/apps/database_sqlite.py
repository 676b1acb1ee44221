"""A row by its key from an SQLite file, and its neighbours by an index."""

import json
import os
import shutil
import sqlite3
import tempfile
import threading

CONTENT_TYPE = "application/json"
_local = threading.local()
_state = {}

ROWS = 10000


def setup(services):
    import atexit

    folder = tempfile.mkdtemp(prefix="wsgibench-")
    _state["path"] = os.path.join(folder, "people.db")
    _state["pid"] = os.getpid()
    connection = sqlite3.connect(_state["path"])
    connection.execute(
        "CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT, town INTEGER)"
    )
    connection.execute("CREATE INDEX people_town ON people (town)")
    connection.executemany(
        "INSERT INTO people VALUES (?, ?, ?)",
        ((n, "person %d" % n, n % 500) for n in range(ROWS)),
    )
    connection.commit()
    connection.close()
    atexit.register(_remove, folder, os.getpid())


def _remove(folder, pid):
    if os.getpid() == pid:  # not in a worker that was forked
        shutil.rmtree(folder, True)


def _connection():
    """One for each thread of each process."""
    if getattr(_local, "pid", None) != os.getpid():
        _local.connection = sqlite3.connect(_state["path"])
        _local.pid = os.getpid()
    return _local.connection


def task():
    cursor = _connection().cursor()
    cursor.execute("SELECT name, town FROM people WHERE id = ?", (1234,))
    name, town = cursor.fetchone()
    cursor.execute("SELECT id FROM people WHERE town = ? ORDER BY id", (town,))
    ids = [row[0] for row in cursor.fetchall()]
    return json.dumps([name, town, ids]).encode("ascii")
