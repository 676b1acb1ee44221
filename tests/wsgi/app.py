"""What runs in the server: /MODULE/NAME calls tests.wsgi.MODULE.NAME."""

from __future__ import annotations

import gc
import importlib
import json
import threading
from typing import Any
from wsgiref.validate import validator

_notes: list[Any] = []
_lock = threading.Lock()
#: How many tests there were, and to which one this thread's call belongs:
#: with threads, close() may run when the next test has begun.
_test = 0
_here = threading.local()


def note(*what: Any) -> None:
    """Tell the test; what must be JSON."""
    with _lock:
        if getattr(_here, "test", _test) == _test:
            _notes.append(list(what))


def plain(
    start_response: Any, body: bytes, status: str = "200 OK"
) -> list[bytes]:
    """A whole, ordinary response."""
    fields = [("Content-Type", "text/plain")]
    start_response(status, [*fields, ("Content-Length", str(len(body)))])
    return [body]


def answer(start_response: Any, payload: Any) -> list[bytes]:
    return plain(start_response, json.dumps(payload).encode("ascii"))


def _control(name: str, start_response: Any) -> list[bytes]:
    global _notes, _test
    if name == "notes":
        return answer(start_response, _notes)
    if name == "collect":
        for _ in range(3):
            gc.collect()
    if name == "clear":
        with _lock:
            _notes = []
            _test += 1
    return answer(start_response, "done")


def application(environ: dict[str, Any], start_response: Any) -> Any:
    _here.test = _test
    parts = environ["PATH_INFO"].split("/")
    if parts[1] == "control":
        return _control(parts[2], start_response)
    validated = parts[1] == "validated"
    module = importlib.import_module("tests.wsgi." + parts[-2])
    found = getattr(module, parts[-1])
    if validated:
        found = validator(found)
    return found(environ, start_response)
