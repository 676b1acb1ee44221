"""What the behaviours share.

note() keeps what the application saw; /wsgi/notes hands it out, /wsgi/clear
forgets it.
"""

from __future__ import absolute_import

import json
import threading

TEXT = ("Content-Type", "text/plain")

notes = []
_lock = threading.Lock()


def note(*what):
    with _lock:
        notes.append(list(what))


def plain(start_response, body, status="200 OK", fields=()):
    """A whole, ordinary response."""
    length = ("Content-Length", str(len(body)))
    start_response(status, [TEXT, length] + list(fields))
    return [body]


def answer(start_response, payload):
    body = json.dumps(payload, default=repr).encode("ascii")
    return plain(start_response, body)


def query(environ):
    return environ.get("QUERY_STRING", "")


class Closing(object):
    """An iterable that notes its close()."""

    def __init__(self, parts, fails_at=None):
        self.parts = iter(parts)
        self.left = fails_at

    def __iter__(self):
        return self

    def __next__(self):
        if self.left is not None:
            if self.left == 0:
                raise ValueError("the application fails")
            self.left -= 1
        return next(self.parts)

    next = __next__

    def close(self):
        note("closed")
