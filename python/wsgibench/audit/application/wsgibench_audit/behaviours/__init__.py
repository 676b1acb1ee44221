"""What an application may do, or does wrong, one function each."""

from __future__ import absolute_import

from wsgiref.validate import validator

from wsgibench_audit.behaviours import (
    body,
    environ,
    head,
    kit,
    process,
    streams,
)

ROOMS = (environ, head, body, streams, process)


def call(name, environ, start_response):
    if name == "notes":
        return kit.answer(start_response, kit.notes)
    if name == "clear":
        del kit.notes[:]
        return kit.plain(start_response, b"cleared")
    if name == "last":
        return kit.plain(start_response, b"last")
    checked = name.startswith("validated/")
    found = find(name[10:] if checked else name)
    if checked:
        found = validator(found)
    return found(environ, start_response)


def find(name):
    for room in ROOMS:
        if hasattr(room, name):
            return getattr(room, name)
    raise KeyError(name)
