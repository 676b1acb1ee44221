"""What an application may do, or does wrong, one function each.

note() keeps what the application saw; /wsgi/notes hands it out, /wsgi/clear
forgets it.
"""

from __future__ import absolute_import

import io
import json
import os
import socket
import sys
import tempfile
import threading
import time
from wsgiref.validate import validator

TEXT = ("Content-Type", "text/plain")

_notes = []
_lock = threading.Lock()
_kept = []


def note(*what):
    with _lock:
        _notes.append(list(what))


def plain(start_response, body, status="200 OK", fields=()):
    """A whole, ordinary response."""
    length = ("Content-Length", str(len(body)))
    start_response(status, [TEXT, length] + list(fields))
    return [body]


def answer(start_response, payload):
    body = json.dumps(payload, default=repr).encode("ascii")
    return plain(start_response, body)


def call(name, environ, start_response):
    if name == "notes":
        return answer(start_response, _notes)
    if name == "clear":
        del _notes[:], _kept[:]
        return plain(start_response, b"cleared")
    if name == "last":
        return plain(start_response, b"last")
    checked = name.startswith("validated/")
    if checked:
        name = name[10:]
    found = globals()[name]
    if checked:
        found = validator(found)
    return found(environ, start_response)


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


# ---- environ ---------------------------------------------------------------


def environ_types(environ, start_response):
    kinds = dict((key, type(environ[key]).__name__) for key in environ)
    bad = []
    for key in environ:
        if key.isupper():
            value = environ[key]
            text = type(value) is str
            if not text or any(ord(c) > 255 for c in value):
                bad.append(key)
    return answer(
        start_response,
        {
            "dict": type(environ) is dict,
            "kinds": kinds,
            "version": list(environ["wsgi.version"]),
            "scheme": environ["wsgi.url_scheme"],
            "bad": bad,
            "cgi": dict((k, environ[k]) for k in environ if k.isupper()),
            "flags": [
                bool(environ["wsgi.multithread"]),
                bool(environ["wsgi.multiprocess"]),
                bool(environ["wsgi.run_once"]),
            ],
        },
    )


def environ_changed(environ, start_response):
    found = [
        environ.get("audit.mark", ""),
        environ.get("HTTP_X_AUDIT", ""),
        environ.get("PATH_INFO", ""),
    ]
    environ["audit.mark"] = "left behind"
    environ["HTTP_X_AUDIT"] = "changed"
    environ.pop("HTTP_HOST", None)
    note(*found)
    return plain(start_response, b"changed")


def environ_cleared(environ, start_response):
    note("HTTP_HOST" in environ, "wsgi.input" in environ)
    environ.clear()
    return plain(start_response, b"cleared")


# ---- start_response --------------------------------------------------------


def hello(environ, start_response):
    return plain(start_response, b"hello")


def read_all(environ, start_response):
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or -1))
    return plain(start_response, b"%d" % len(body))


def lazy(environ, start_response):
    def parts():
        start_response("200 OK", [TEXT])
        yield b"lazy"

    return parts()


def never(environ, start_response):
    return Closing([b"body"])


def never_empty(environ, start_response):
    return Closing([])


def twice(environ, start_response):
    start_response("200 OK", [TEXT])
    try:
        start_response("200 OK", [TEXT])
    except BaseException:
        note("raised")
        raise
    return [b"twice"]


def replaced(environ, start_response):
    start_response("200 OK", [TEXT, ("Content-Length", "3"), ("X-Old", "1")])
    try:
        raise ValueError("application")
    except ValueError:
        fields = [TEXT, ("X-New", "1"), ("Content-Length", "13")]
        start_response("503 Sorry", fields, sys.exc_info())
    return [b"a longer body"]


def replaced_no_length(environ, start_response):
    start_response("200 OK", [TEXT, ("Content-Length", "3")])
    try:
        raise ValueError("application")
    except ValueError:
        start_response("503 Sorry", [TEXT], sys.exc_info())
    return iter([b"a longer ", b"body"])


def replaced_after_empty(environ, start_response):
    start_response("200 OK", [TEXT, ("X-Old", "1")])
    yield b""
    try:
        raise ValueError("application")
    except ValueError:
        start_response("503 Sorry", [TEXT], sys.exc_info())
    yield b"sorry"


def exc_info_none(environ, start_response):
    start_response("200 OK", [TEXT], None)
    return [b"fine"]


def exc_info_first(environ, start_response):
    try:
        raise ValueError("application")
    except ValueError:
        start_response("503 Sorry", [TEXT], sys.exc_info())
    return [b"sorry"]


class Marker(ValueError):
    pass


def too_late(environ, start_response):
    start_response("200 OK", [TEXT])
    yield b"first part" * 1000
    try:
        raise Marker("original")
    except Marker:
        try:
            start_response("503 Sorry", [TEXT], sys.exc_info())
        except BaseException as error:
            note("reraised", type(error).__name__)
            raise
    yield b"second part"


def fails(environ, start_response):
    raise ValueError("the application's secret")


def fails_after_head(environ, start_response):
    start_response("200 OK", [TEXT, ("X-Old", "1")])
    raise ValueError("the application's secret")


def fails_after_empty(environ, start_response):
    start_response("200 OK", [TEXT, ("X-Old", "1")])
    yield b""
    raise ValueError("the application's secret")


def fails_midway(environ, start_response):
    """?length: 0 for none."""
    fields = [TEXT]
    if query(environ) != "0":
        fields.append(("Content-Length", query(environ)))
    start_response("200 OK", fields)
    return Closing([b"x" * 1000] * 5, fails_at=2)


# ---- write() ---------------------------------------------------------------


def write_first(environ, start_response):
    write = start_response("200 OK", [TEXT])
    write(b"written ")
    write(b"")
    write(b"twice ")
    return [b"returned"]


def write_length(environ, start_response):
    write = start_response("200 OK", [TEXT, ("Content-Length", "15")])
    write(b"written ")
    return [b"returned"[:7]]


# ---- iterables -------------------------------------------------------------

PARTS = [b"one ", b"", b"two ", b"three"]


class Sequence(object):
    """Only __getitem__: iter() takes it."""

    def __getitem__(self, index):
        return PARTS[index]


def of_list(environ, start_response):
    start_response("200 OK", [TEXT])
    return list(PARTS)


def of_tuple(environ, start_response):
    start_response("200 OK", [TEXT])
    return tuple(PARTS)


def of_generator(environ, start_response):
    start_response("200 OK", [TEXT])
    return (part for part in PARTS)


def of_sequence(environ, start_response):
    start_response("200 OK", [TEXT])
    return Sequence()


def of_iterator(environ, start_response):
    start_response("200 OK", [TEXT])
    return Closing(PARTS)


def one_part(environ, start_response):
    start_response("200 OK", [TEXT])
    return [b"one part"]


def no_parts(environ, start_response):
    start_response("200 OK", [TEXT])
    return []


def empty_part(environ, start_response):
    start_response("200 OK", [TEXT])
    return [b""]


def many_parts(environ, start_response):
    start_response("200 OK", [TEXT])
    return (b"x" for _ in range(3000))


def big_block(environ, start_response):
    start_response("200 OK", [TEXT])
    return [b"0123456789abcdef" * (1 << 19)]


def echo(environ, start_response):
    """Answers while it reads."""
    stream = environ["wsgi.input"]
    start_response("200 OK", [TEXT])

    def parts():
        while True:
            part = stream.read(8192)
            if not part:
                return
            yield part

    return parts()


def close_fails(environ, start_response):
    class Failing(Closing):
        def close(self):
            note("closed")
            raise ValueError("close() fails")

    start_response("200 OK", [TEXT, ("Content-Length", "4")])
    return Failing([b"body"])


def closing(environ, start_response):
    status = query(environ) or "200 OK"
    start_response(status.replace("+", " "), [TEXT])
    return Closing([b"one", b"two"])


class Apart(object):
    """An iterable with close() whose iterator is another object, as the
    responses of Django and Werkzeug are."""

    def __iter__(self):
        return iter([b"one", b"two"])

    def close(self):
        note("closed")


def closing_apart(environ, start_response):
    start_response("200 OK", [TEXT])
    return Apart()


def endless(environ, start_response):
    start_response("200 OK", [TEXT])

    def parts():
        sent = 0
        try:
            while sent < 1 << 30:
                sent += 65536
                yield b"x" * 65536
        finally:
            note("stopped", sent)

    return parts()


def in_parts(environ, start_response):
    """Half of it at once, the rest a second later."""
    part = b"x" * 65536
    start_response("200 OK", [TEXT, ("Content-Length", str(2 * len(part)))])

    def parts():
        yield part
        time.sleep(1.0)
        yield part

    return parts()


# ---- length ----------------------------------------------------------------


def length(environ, start_response):
    """?length,part,part...: announces the one, sends the others."""
    parts = query(environ).split(",")
    start_response("200 OK", [TEXT, ("Content-Length", parts[0])])

    def lazily():
        for part in parts[1:]:
            note("made", part)
            yield part.encode("ascii")

    return lazily()


def two_lengths(environ, start_response):
    fields = [TEXT, ("Content-Length", "4"), ("Content-Length", "5")]
    start_response("200 OK", fields)
    return [b"body"]


def status_with_body(environ, start_response):
    start_response(query(environ).replace("+", " "), [TEXT])
    return [b"body that must not be sent"]


# ---- response fields -------------------------------------------------------

INJECTED = {
    "crlf-value": ("200 OK", [("X-A", "1\r\nInjected: 1")]),
    "lf-value": ("200 OK", [("X-A", "1\nInjected: 1")]),
    "cr-value": ("200 OK", [("X-A", "1\rInjected: 1")]),
    "nul-value": ("200 OK", [("X-A", "1\0Injected: 1")]),
    "crlf-name": ("200 OK", [("X-A: 1\r\nInjected", "1")]),
    "lf-name": ("200 OK", [("X-A: 1\nInjected", "1")]),
    "crlf-status": ("200 OK\r\nInjected: 1", []),
    "lf-status": ("200 OK\nInjected: 1", []),
    "colon-name": ("200 OK", [("X:Y", "1")]),
    "space-name": ("200 OK", [("X Y", "1")]),
    "empty-name": ("200 OK", [("", "1")]),
}
WRONG = {
    "beyond-latin-1": ("200 OK", [("X-A", "\u20ac")]),
    "bytes-value": ("200 OK", [("X-A", b"1")]),
    "int-value": ("200 OK", [("X-A", 1)]),
    "none-value": ("200 OK", [("X-A", None)]),
    "short-tuple": ("200 OK", [("X-A",)]),
    "dict": ("200 OK", {"X-A": "1"}),
    "none": ("200 OK", None),
    "status-int": (200, []),
    "status-bytes": (b"200 OK", []),
    "status-text": ("OK", []),
    "status-none": (None, []),
    "status-1000": ("1000 Beyond", []),
}


def injected(environ, start_response):
    status, fields = INJECTED[query(environ)]
    start_response(status, [TEXT, ("Content-Length", "4")] + fields)
    return [b"body"]


def wrong_head(environ, start_response):
    status, fields = WRONG[query(environ)]
    start_response(status, fields)
    return [b"body"]


def own_status(environ, start_response):
    status = query(environ).replace("+", " ")
    return plain(start_response, b"its own", status)


def no_arguments(environ, start_response):
    start_response()
    return [b"body"]


def hop_by_hop(environ, start_response):
    name, _, value = query(environ).partition("=")
    start_response("200 OK", [TEXT, (name, value)])
    return [b"hop ", b"by hop"]


def own_date(environ, start_response):
    fields = [("Date", "Sat, 21 Nov 2026 05:00:00 GMT"), ("Server", "mine")]
    return plain(start_response, b"dated", fields=fields)


def cookies(environ, start_response):
    fields = [("Set-Cookie", "c%d=%d" % (i, i)) for i in range(50)]
    return plain(start_response, b"cookies", fields=fields)


def latin_1(environ, start_response):
    return plain(start_response, b"latin", fields=[("X-A", "caf\xe9")])


# ---- what is returned ------------------------------------------------------


def returns(environ, start_response):
    kinds = {"none": None, "int": 1, "str": "text", "true": True}
    start_response("200 OK", [TEXT])
    return kinds[query(environ)]


def yields(environ, start_response):
    kinds = {"none": None, "int": 1, "str": "\u20ac"}
    start_response("200 OK", [TEXT])
    return [kinds[query(environ)]]


def exits(environ, start_response):
    if query(environ) == "SystemExit":
        sys.exit(7)
    raise KeyboardInterrupt


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


def background(environ, start_response):
    """?port: a thread of its own says a word there when it has slept."""

    def work():
        time.sleep(0.05)
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except socket.error:  # nobody waits for it any more
            pass

    port = int(query(environ))
    thread = threading.Thread(target=work)
    thread.daemon = True
    thread.start()
    return plain(start_response, b"started")


def process(environ, start_response):
    return answer(start_response, os.getpid())
