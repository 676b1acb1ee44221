"""Absolute-form targets: RFC 9112 3.2.2 (served, and override Host)."""

from __future__ import annotations

from typing import Any

from wsgibench.audit.http.case import accept, either, get, reject

RULE = "9112 3.2.2"


def asked(
    path: str | tuple[str, ...], query: str = "", host: str = "example.com"
) -> dict[str, Any]:
    return {"PATH_INFO": path, "QUERY_STRING": query, "HTTP_HOST": host}


def absolute(target: bytes, **more: bytes) -> bytes:
    return get(target=target, **more)


CASES = [
    accept(
        "path", absolute(b"http://example.com/p"), RULE, environ=asked("/p")
    ),
    accept(
        "query",
        absolute(b"http://example.com/p?a=b"),
        RULE,
        environ=asked("/p", "a=b"),
    ),
    accept(
        "deep",
        absolute(b"http://example.com/p/q/"),
        RULE,
        environ=asked("/p/q/"),
    ),
    accept(
        "percent",
        absolute(b"http://example.com/%41"),
        RULE,
        environ=asked("/A"),
    ),
    accept(
        "slash", absolute(b"http://example.com/"), RULE, environ=asked("/")
    ),
    accept(
        "no-path",
        absolute(b"http://example.com"),
        "9110 4.2.3",
        environ=asked(("", "/")),
    ),
    accept(
        "no-path-query",
        absolute(b"http://example.com?a=b"),
        RULE,
        environ=asked(("", "/"), "a=b"),
    ),
    accept(
        "port",
        absolute(b"http://example.com:81/p"),
        RULE,
        environ=asked("/p", "", "example.com:81"),
    ),
    accept(
        "ipv6",
        absolute(b"http://[::1]:81/p"),
        RULE,
        environ=asked("/p", "", "[::1]:81"),
    ),
    accept(
        "https", absolute(b"https://example.com/p"), RULE, environ=asked("/p")
    ),
    accept(
        "scheme-case",
        absolute(b"HTTP://example.com/p"),
        "9110 4.2.3",
        environ=asked("/p"),
    ),
    accept(
        "double-slash",
        absolute(b"http://example.com//p"),
        RULE,
        environ=asked("//p"),
    ),
    accept(
        "host-same",
        absolute(b"http://localhost/p"),
        RULE,
        environ=asked("/p", "", "localhost"),
    ),
    accept(
        "host-empty",
        absolute(b"http://example.com/p", host=b"Host:\r\n"),
        RULE,
        environ=asked("/p"),
    ),
    accept(
        "1.0",
        absolute(b"http://example.com/p", host=b"", version=b"HTTP/1.0"),
        RULE,
        environ=asked("/p"),
        persists=False,
    ),
    accept(
        "post",
        absolute(b"http://example.com/p", method=b"POST")[:-2]
        + b"Content-Length: 2\r\n\r\nhi",
        RULE,
        environ=asked("/p"),
        body=b"hi",
    ),
    accept(
        "colon-in-path",
        absolute(b"http://example.com/a:b@c"),
        RULE,
        environ=asked("/a:b@c"),
    ),
    accept(
        "at-in-query",
        absolute(b"http://example.com?u@h"),
        RULE,
        environ=asked(("", "/"), "u@h"),
    ),
    reject(
        "no-host-field",
        absolute(b"http://example.com/p", host=b""),
        "9112 3.2",
    ),
    reject(
        "two-host-fields",
        absolute(b"http://example.com/p", host=b"Host: a\r\nHost: b\r\n"),
        "9112 3.2",
    ),
    reject(
        "host-field-invalid",
        absolute(b"http://example.com/p", host=b"Host: a b\r\n"),
        "9112 3.2",
    ),
    reject("empty-host", absolute(b"http:///p"), "9110 4.2.1"),
    reject("empty-host-port", absolute(b"http://:80/p"), "9110 4.2.1"),
    reject("empty", absolute(b"http://"), "9110 4.2.1"),
    reject("one-slash", absolute(b"http:/example.com/p"), "9110 4.2.1"),
    reject("no-slash", absolute(b"http:example.com"), "9110 4.2.1"),
    reject("scheme-only", absolute(b"http:"), "9110 4.2.1"),
    reject("no-scheme", absolute(b"://example.com/p"), "9112 3.2"),
    reject("bad-port", absolute(b"http://example.com:x/p"), "3986 3.2.3"),
    reject("bad-bracket", absolute(b"http://[::1/p"), "3986 3.2.2"),
    reject("bad-host", absolute(b"http://a|b/p"), "3986 3.2.2"),
    either(
        "userinfo",
        absolute(b"http://u:p@example.com/p"),
        "9110 4.2.4",
        environ={"PATH_INFO": "/p"},
    ),
    either("fragment", absolute(b"http://example.com/p#f"), "9112 3.2.2"),
    either("ftp", absolute(b"ftp://example.com/p"), "9112 3.2.2"),
    either(
        "options",
        absolute(b"http://example.com", method=b"OPTIONS"),
        "9112 3.2.4",
    ),
]
