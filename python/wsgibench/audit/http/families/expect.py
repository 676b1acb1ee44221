"""Expect: RFC 9110 10.1.1. The dialogue itself is in test_continue.py."""

from wsgibench.audit.http.case import accept, chunked, either, get, post

RULE = "9110 10.1.1"
EXPECT = b"Expect: 100-continue\r\n"
CASES = [
    accept(
        "length",
        post(EXPECT + b"Content-Length: 5\r\n", b"hello"),
        RULE,
        body=b"hello",
    ),
    accept(
        "chunked",
        chunked(
            b"5\r\nhello\r\n0\r\n\r\n",
            EXPECT + b"Transfer-Encoding: chunked\r\n",
        ),
        RULE,
        body=b"hello",
    ),
    accept(
        "case",
        post(b"Expect: 100-Continue\r\nContent-Length: 5\r\n", b"hello"),
        RULE,
        body=b"hello",
    ),
    accept("no-body", get(EXPECT), RULE, body=b""),
    accept(
        "zero", post(EXPECT + b"Content-Length: 0\r\n", b""), RULE, body=b""
    ),
    accept(
        "1.0",
        post(EXPECT + b"Content-Length: 5\r\n", b"hello", version=b"HTTP/1.0"),
        RULE,
        body=b"hello",
        persists=False,
    ),
    accept(
        "unread",
        post(EXPECT + b"Content-Length: 5\r\n", b"hello", target=b"/unread"),
        RULE,
        persists=None,
    ),
    either("unknown", get(b"Expect: x\r\n"), RULE, statuses=(400, 417)),
    either(
        "unknown-list",
        get(b"Expect: 100-continue, x\r\n"),
        RULE,
        statuses=(400, 417),
    ),
]
