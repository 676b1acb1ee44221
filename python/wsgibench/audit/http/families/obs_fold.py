"""Line folding: RFC 9112 5.2 (400, or each fold becomes SP)."""

import re

from wsgibench.audit.http.case import either, get, post, reject

RULE = "9112 5.2"


def folded(lines: bytes) -> bytes:
    return get(lines)


CASES = [
    either(
        "space",
        folded(b"X: a\r\n b\r\n"),
        RULE,
        environ={"HTTP_X": re.compile("a +b")},
    ),
    either(
        "tab",
        folded(b"X: a\r\n\tb\r\n"),
        RULE,
        environ={"HTTP_X": re.compile("a[ \t]+b")},
    ),
    either(
        "many",
        folded(b"X: a\r\n    b\r\n"),
        RULE,
        environ={"HTTP_X": re.compile("a +b")},
    ),
    either(
        "twice",
        folded(b"X: a\r\n b\r\n c\r\n"),
        RULE,
        environ={"HTTP_X": re.compile("a +b +c")},
    ),
    either(
        "empty-first",
        folded(b"X:\r\n b\r\n"),
        RULE,
        environ={"HTTP_X": re.compile(" *b")},
    ),
    either(
        "blank",
        folded(b"X: a\r\n \r\nY: b\r\n"),
        RULE,
        environ={"HTTP_X": re.compile("a *"), "HTTP_Y": "b"},
    ),
    either(
        "field",
        folded(b"X: a\r\n Y: b\r\n"),
        RULE,
        environ={"HTTP_X": re.compile("a +Y: b"), "HTTP_Y": None},
    ),
    either(
        "length",
        post(b"X: a\r\n Content-Length: 5\r\n", b""),
        RULE,
        environ={"CONTENT_LENGTH": (None, "", "0")},
    ),
    either(
        "length-value",
        post(b"Content-Length:\r\n 5\r\n", b"hello"),
        RULE,
        body=b"hello",
    ),
    reject(
        "length-digits",
        post(b"Content-Length: 1\r\n 0\r\n", b"0123456789"),
        RULE,
    ),
    either(
        "coding",
        post(
            b"Transfer-Encoding:\r\n chunked\r\n", b"5\r\nhello\r\n0\r\n\r\n"
        ),
        RULE,
        body=b"hello",
        statuses=(400, 501),
    ),
    either(
        "coding-hidden",
        post(
            b"Content-Length: 5\r\nX: a\r\n Transfer-Encoding: chunked\r\n",
            b"0\r\n\r\n",
        ),
        RULE,
        body=b"0\r\n\r\n",
    ),
    either("host", get(host=b"Host: a\r\n b\r\n"), RULE),
    either("last", folded(b"X: a\r\n b\r\n"), RULE),
    either("vt", folded(b"X: a\r\n\x0bb\r\n"), RULE),
]
