"""A message that comes a byte at a time is the same message: TCP has no
boundaries that HTTP could see (RFC 9112 2.1). Each asks for the end of the
connection, behind which a client sends nothing (RFC 9112 9.6)."""

from wsgibench.audit.http.case import CHUNKED, accept, get, post

RULE = "9112 2.1"
CLOSE = b"Connection: close\r\n"
WIRE = b"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n"
CASES = [
    accept(
        "percent",
        get(CLOSE, target=b"/a%20b?c=%41"),
        RULE,
        environ={"PATH_INFO": "/a b", "QUERY_STRING": "c=%41"},
        persists=False,
        piece=1,
    ),
    accept(
        "fields",
        get(CLOSE + b"X-A: one two\r\nX-B: three\r\n"),
        RULE,
        environ={"HTTP_X_A": "one two", "HTTP_X_B": "three"},
        persists=False,
        piece=1,
    ),
    accept(
        "length",
        post(CLOSE + b"Content-Length: 11\r\n", b"hello world"),
        RULE,
        body=b"hello world",
        persists=False,
        piece=1,
    ),
    *[
        accept(
            "chunked" + name,
            post(CLOSE + CHUNKED, WIRE),
            RULE,
            body=b"hello world",
            persists=False,
            piece=piece,
        )
        for name, piece in (("", 1), ("-by-3", 3))
    ],
]
