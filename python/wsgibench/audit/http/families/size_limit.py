"""Limits: RFC 9110 15.5.14, .15, RFC 9112 3, RFC 6585 5. What is endless is
refused while it comes, not stored."""

from wsgibench.audit.http.case import (
    CHUNKED,
    accept,
    chunked,
    either,
    get,
    reject,
)

HEAD = b"GET / HTTP/1.1\r\nHost: a\r\n"
MEGA = 1 << 20
LINE = (400, 414)
FIELDS = (400, 431)
CASES = [
    accept("line-8000", get(target=b"/" + b"a" * (8000 - 14)), "9112 3"),
    accept("value-4000", get(b"X: " + b"v" * 4000 + b"\r\n"), "9112 5"),
    accept(
        "head-8000",
        get(b"".join(b"X%d: %b\r\n" % (n, b"v" * 90) for n in range(80))),
        "9112 5",
    ),
    reject(
        "line-mega",
        get(target=b"/" + b"a" * MEGA),
        "9110 15.5.15",
        statuses=LINE,
    ),
    reject(
        "query-mega",
        get(target=b"/?" + b"a" * MEGA),
        "9110 15.5.15",
        statuses=LINE,
    ),
    reject(
        "method-mega",
        get(method=b"A" * MEGA),
        "9112 3",
        statuses=(400, 414, 501),
    ),
    reject("line-endless", b"GET /" + b"a" * MEGA, "9112 3", statuses=LINE),
    reject(
        "version-endless",
        b"GET / HTTP/1." + b"1" * MEGA,
        "9112 3",
        statuses=(400, 414, 505),
    ),
    either(
        "crlf-endless",
        b"\r\n" * MEGA + get(),
        "9112 2.2",
        statuses=(400, 414, 431),
    ),
    reject(
        "value-mega",
        get(b"X: " + b"v" * MEGA + b"\r\n"),
        "6585 5",
        statuses=FIELDS,
    ),
    reject(
        "name-mega", get(b"X" * MEGA + b": v\r\n"), "6585 5", statuses=FIELDS
    ),
    reject(
        "value-endless", HEAD + b"X: " + b"v" * MEGA, "6585 5", statuses=FIELDS
    ),
    reject(
        "fields-20000",
        get(b"".join(b"X%d: v\r\n" % n for n in range(20000))),
        "6585 5",
        statuses=FIELDS,
    ),
    reject(
        "fields-endless",
        HEAD + b"X: v\r\n" * 200000,
        "6585 5",
        statuses=FIELDS,
    ),
    reject(
        "same-field-20000", get(b"X: v\r\n" * 20000), "6585 5", statuses=FIELDS
    ),
    reject(
        "spaces-endless", HEAD + b"X:" + b" " * MEGA, "6585 5", statuses=FIELDS
    ),
    reject(
        "length-1e12",
        get(b"Content-Length: 1000000000000\r\n"),
        "9110 15.5.14",
        statuses=(413,),
        waits=True,
    ),
    reject(
        "chunk-1e12",
        chunked(b"e8d4a51000\r\n"),
        "9110 15.5.14",
        statuses=(400, 413),
        waits=True,
    ),
    reject(
        "extension-mega",
        chunked(b"5;a=" + b"b" * MEGA + b"\r\nhello\r\n0\r\n\r\n"),
        "9112 7.1.1",
        statuses=(400, 413, 431),
    ),
    reject(
        "extension-endless",
        chunked(b"5;" + b"b" * MEGA),
        "9112 7.1.1",
        statuses=(400, 413, 431),
    ),
    either(
        "extensions-many",
        chunked(
            b"1;a=bbbbbbbbbbbbbbbbbbbbbbb\r\nx\r\n" * 40000 + b"0\r\n\r\n"
        ),
        "9112 7.1.1",
        statuses=(400, 413, 431),
        body=b"x" * 40000,
    ),
    reject(
        "zeros-endless", chunked(b"0" * MEGA), "9112 7.1", statuses=(400, 413)
    ),
    reject(
        "trailer-mega",
        chunked(b"0\r\nX: " + b"v" * MEGA + b"\r\n\r\n"),
        "9112 7.1.2",
        statuses=FIELDS,
    ),
    reject(
        "trailers-endless",
        chunked(b"0\r\n" + b"X: v\r\n" * 200000),
        "9112 7.1.2",
        statuses=FIELDS,
    ),
    reject(
        "connection-mega",
        get(b"Connection: " + b"a," * MEGA + b"\r\n"),
        "6585 5",
        statuses=FIELDS,
    ),
    reject(
        "coding-mega",
        get(b"Transfer-Encoding: " + b"a," * MEGA + b"\r\n"),
        "6585 5",
        statuses=FIELDS,
    ),
    accept(
        "body-mega",
        chunked(b"100000\r\n" + b"x" * MEGA + b"\r\n0\r\n\r\n", CHUNKED),
        "9112 6",
        body=b"x" * MEGA,
    ),
]
