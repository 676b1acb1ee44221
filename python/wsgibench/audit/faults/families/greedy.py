"""Clients that send without end: a server that keeps what it has no use for
runs out of memory. Limits are its own to choose (RFC 6585 5, RFC 9110
15.5.14, 15.5.15)."""

from wsgibench.audit.faults.fault import Fault

HEAD = b"GET / HTTP/1.1\r\nHost: a\r\n"
CHUNKED = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
BLOCK = b"a" * 65536
FAULTS = [
    Fault("line", "9110 15.5.15", "robust", b"GET /", endless=BLOCK),
    Fault("value", "6585 5", "robust", HEAD + b"X: ", endless=BLOCK),
    Fault("fields", "6585 5", "robust", HEAD, endless=b"X: a\r\n" * 9000),
    Fault("extension", "9112 7.1.1", "robust", CHUNKED + b"1;", endless=BLOCK),
    Fault(
        "trailers",
        "9112 7.1.2",
        "robust",
        CHUNKED + b"1\r\nx\r\n0\r\n",
        endless=b"X: a\r\n" * 9000,
    ),
    Fault("size", "9112 7.1", "robust", CHUNKED, endless=b"0" * 65536),
]
