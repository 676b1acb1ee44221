"""Trailers: read and dropped, never merged into the head: RFC 9112 7.1.2,
RFC 9110 6.5.1. Malformed ones are a framing error."""

from wsgibench.audit.http.case import CHUNKED, accept, chunked, either, reject

RULE = "9112 7.1.2"
WIRE = b"5\r\nhello\r\n0\r\n"


def trailed(lines: bytes, head: bytes = CHUNKED) -> bytes:
    return chunked(WIRE + lines + b"\r\n", head)


CASES = [
    accept(
        "one",
        trailed(b"X: y\r\n"),
        RULE,
        body=b"hello",
        environ={"HTTP_X": None},
    ),
    accept(
        "two",
        trailed(b"X: y\r\nZ: w\r\n"),
        RULE,
        body=b"hello",
        environ={"HTTP_X": None, "HTTP_Z": None},
    ),
    accept(
        "not-merged",
        trailed(b"X: evil\r\n", CHUNKED + b"X: good\r\n"),
        RULE,
        body=b"hello",
        environ={"HTTP_X": "good"},
    ),
    accept(
        "announced",
        trailed(b"X: y\r\n", CHUNKED + b"Trailer: X\r\n"),
        RULE,
        body=b"hello",
        environ={"HTTP_X": None},
    ),
    accept(
        "content-type",
        trailed(b"Content-Type: a/b\r\n"),
        RULE,
        body=b"hello",
        environ={"CONTENT_TYPE": (None, "")},
    ),
    accept("empty-value", trailed(b"X:\r\n"), RULE, body=b"hello"),
    accept("latin-1", trailed(b"X: \xe9\r\n"), RULE, body=b"hello"),
    accept(
        "pipelined",
        trailed(b"X: y\r\n") + trailed(b"X: y\r\n"),
        RULE,
        body=b"hello",
        served=2,
    ),
    either(
        "content-length",
        trailed(b"Content-Length: 99\r\n"),
        "9110 6.5.1",
        body=b"hello",
        environ={"CONTENT_LENGTH": (None, "", "5")},
    ),
    either(
        "host",
        trailed(b"Host: evil\r\n"),
        "9110 6.5.1",
        body=b"hello",
        environ={"HTTP_HOST": "localhost"},
    ),
    either(
        "coding",
        trailed(b"Transfer-Encoding: chunked\r\n"),
        "9110 6.5.1",
        body=b"hello",
    ),
    either(
        "connection",
        trailed(b"Connection: close\r\n"),
        "9110 6.5.1",
        body=b"hello",
        persists=None,
    ),
    either(
        "authorization",
        trailed(b"Authorization: evil\r\n"),
        "9110 6.5.1",
        body=b"hello",
        environ={"HTTP_AUTHORIZATION": None},
    ),
    either(
        "underscore",
        trailed(b"X_Y: z\r\n"),
        RULE,
        body=b"hello",
        environ={"HTTP_X_Y": None},
    ),
    either("fold", trailed(b"X: y\r\n z\r\n"), "9112 5.2", body=b"hello"),
    either("cr", trailed(b"X: y\rz\r\n"), "9112 2.2", body=b"hello"),
    either("nul", trailed(b"X: y\0z\r\n"), "9110 5.5", body=b"hello"),
    either("lf-end", trailed(b"X: y\n"), "9112 2.2", body=b"hello"),
    reject("no-colon", trailed(b"X\r\n"), "9112 5"),
    reject("space-before-colon", trailed(b"X : y\r\n"), "9112 5.1"),
    reject("empty-name", trailed(b": y\r\n"), "9110 5.1"),
    reject("bad-name", trailed(b"X(: y\r\n"), "9110 5.1"),
    reject("high-name", trailed(b"X\x80: y\r\n"), "9110 5.1"),
    reject(
        "request-line",
        trailed(b"GET /smuggled HTTP/1.1\r\nHost: a\r\n"),
        "9112 5",
    ),
    reject("cr-x", chunked(WIRE + b"X: y\r\n\rX"), "9112 2.2"),
    reject("cut-off", chunked(WIRE + b"X: y"), "9112 8", half_close=True),
]
