"""Repeated fields become one, in order: RFC 9110 5.2, 5.3; cookies: 6265."""

import re

from wsgibench.audit.http.case import accept, either, get

RULE = "9110 5.3"


def joined(*values: str) -> "re.Pattern[str]":
    return re.compile(", ?".join(re.escape(value) for value in values))


CASES = [
    accept(
        "two",
        get(b"X: a\r\nX: b\r\n"),
        RULE,
        environ={"HTTP_X": joined("a", "b")},
    ),
    accept(
        "three",
        get(b"X: a\r\nX: b\r\nX: c\r\n"),
        RULE,
        environ={"HTTP_X": joined("a", "b", "c")},
    ),
    accept(
        "apart",
        get(b"X: a\r\nY: z\r\nX: b\r\n"),
        RULE,
        environ={"HTTP_X": joined("a", "b"), "HTTP_Y": "z"},
    ),
    accept(
        "case",
        get(b"x-y: a\r\nX-Y: b\r\n"),
        RULE,
        environ={"HTTP_X_Y": joined("a", "b")},
    ),
    accept(
        "lists",
        get(b"X: a, b\r\nX: c\r\n"),
        RULE,
        environ={"HTTP_X": joined("a, b", "c")},
    ),
    accept(
        "order",
        get(b"X: 3\r\nX: 1\r\nX: 2\r\n"),
        RULE,
        environ={"HTTP_X": joined("3", "1", "2")},
    ),
    accept(
        "accept",
        get(b"Accept: a/b\r\nAccept: c/d\r\n"),
        RULE,
        environ={"HTTP_ACCEPT": joined("a/b", "c/d")},
    ),
    accept(
        "fifty",
        get(b"".join(b"X: %d\r\n" % n for n in range(50))),
        RULE,
        environ={"HTTP_X": joined(*map(str, range(50)))},
    ),
    accept(
        "forwarded",
        get(b"X-Forwarded-For: 1.1.1.1\r\nX-Forwarded-For: 2.2.2.2\r\n"),
        RULE,
        environ={"HTTP_X_FORWARDED_FOR": joined("1.1.1.1", "2.2.2.2")},
    ),
    accept(
        "cookie",
        get(b"Cookie: a=1\r\nCookie: b=2\r\n"),
        "6265 5.4; 9113 8.2.3",
        environ={"HTTP_COOKIE": re.compile("a=1[;,] ?b=2")},
    ),
    accept(
        "with-empty",
        get(b"X: a\r\nX:\r\nX: b\r\n"),
        RULE,
        environ={"HTTP_X": re.compile("a, ?(, ?)?b")},
    ),
    either(
        "content-type",
        get(b"Content-Type: a/b\r\nContent-Type: c/d\r\n"),
        "9110 5.3",
        environ={"HTTP_CONTENT_TYPE": None},
    ),
]
