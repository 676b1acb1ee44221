"""start_response, and the response fields it is given."""

from __future__ import absolute_import

import sys

from wsgibench_audit.behaviours.kit import TEXT, Closing, note, plain, query

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
