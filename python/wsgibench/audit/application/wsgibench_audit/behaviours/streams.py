"""wsgi.input, wsgi.errors and wsgi.file_wrapper."""

from __future__ import absolute_import

import io
import tempfile

from wsgibench_audit.behaviours.kit import TEXT, answer, note, plain, query

# ---- wsgi.input ------------------------------------------------------------


def reads(environ, start_response):
    """?name,argument;...: what the calls return, in turn."""
    stream = environ["wsgi.input"]
    found = []
    for step in query(environ).split(";"):
        name, _, argument = step.partition(",")
        arguments = [int(argument)] if argument else []
        if name == "iterate":
            got = list(stream)
        else:
            got = getattr(stream, name)(*arguments)
        if isinstance(got, list):
            found.append([line.decode("latin-1") for line in got])
        else:
            found.append(got.decode("latin-1"))
    return answer(start_response, found)


def reads_nothing(environ, start_response):
    return plain(start_response, b"unread")


def reads_in_upload(environ, start_response):
    """What is noted when the client leaves in the middle."""
    try:
        body = environ["wsgi.input"].read()
    except Exception as error:
        note("raised", type(error).__name__)
        raise
    note("read", len(body))
    return plain(start_response, b"read")


def errors(environ, start_response):
    stream = environ["wsgi.errors"]
    stream.write("audit: written to wsgi.errors\n")
    stream.writelines(["audit: line one\n", "audit: line two\n"])
    stream.flush()
    return plain(start_response, b"logged")


# ---- wsgi.file_wrapper -----------------------------------------------------


class Source(io.BytesIO):
    def close(self):
        note("closed")
        io.BytesIO.close(self)


def _file(kind, data):
    if kind == "memory":
        return Source(data)
    opened = tempfile.TemporaryFile()
    opened.write(data)
    opened.seek(0)
    return opened


def file_wrapper(environ, start_response):
    """?kind,offset,length"""
    kind, offset, size = query(environ).split(",")
    opened = _file(kind, bytes(bytearray(range(256))) * 400)
    opened.seek(int(offset))
    fields = [("Content-Type", "application/x-audit")]
    if size:
        fields.append(("Content-Length", size))
    start_response("200 OK", fields)
    wrapper = environ.get("wsgi.file_wrapper")
    if wrapper is None:
        return iter(lambda: opened.read(8192), b"")
    return wrapper(opened, 8192)


def file_iterated(environ, start_response):
    """A middleware stands between: the server gets no wrapper."""
    opened = _file("file", bytes(bytearray(range(256))) * 400)
    start_response("200 OK", [("Content-Type", "application/x-audit")])
    wrapper = environ.get("wsgi.file_wrapper")
    if wrapper is None:
        return iter(lambda: opened.read(8192), b"")
    return (block for block in wrapper(opened, 8192))


def file_of_kernel(environ, start_response):
    """Its size is said to be 0, and it has bytes."""
    start_response("200 OK", [TEXT])
    opened = open("/proc/version", "rb")
    wrapper = environ.get("wsgi.file_wrapper")
    if wrapper is None:
        return [opened.read()]
    return wrapper(opened, 8192)
