"""Persistence: RFC 9112 9.3, 9.6; Connection is a list: RFC 9110 7.6.1."""

from wsgibench.audit.http.case import accept, chunked, get, post

RULE = "9112 9.3"
CLOSE = {
    "plain": b"Connection: close\r\n",
    "case": b"Connection: Close\r\n",
    "upper": b"CONNECTION: CLOSE\r\n",
    "spaces": b"Connection:   close  \r\n",
    "tab": b"Connection: close\t\r\n",
    "list-first": b"Connection: close, x\r\n",
    "list-last": b"Connection: x, close\r\n",
    "list-tight": b"Connection: x,close,y\r\n",
    "list-tab": b"Connection: x,\tclose\r\n",
    "list-empties": b"Connection: , ,close,\r\n",
    "two-lines": b"Connection: x\r\nConnection: close\r\n",
    "two-lines-first": b"Connection: close\r\nConnection: x\r\n",
    "beats-keep-alive": b"Connection: keep-alive, close\r\n",
    "beats-keep-alive-first": b"Connection: close, keep-alive\r\n",
    "beats-keep-alive-lines": (
        b"Connection: keep-alive\r\nConnection: close\r\n"
    ),
    "with-upgrade": (
        b"Connection: close, token, upgrade, token, keep-alive\r\n"
    ),
}
KEEP = {
    "none": b"",
    "keep-alive": b"Connection: keep-alive\r\n",
    "other": b"Connection: x\r\n",
    "empty": b"Connection:\r\n",
    "closed": b"Connection: closed\r\n",
    "not-close": b"Connection: not-close\r\n",
    "close-word": b"Connection: close-not\r\n",
    "other-field": b"X-Connection: close\r\n",
    "proxy-connection": b"Proxy-Connection: close\r\n",
    "keep-alive-field": b"Keep-Alive: timeout=0\r\n",
}
OLD = b"HTTP/1.0"
CASES = [
    accept(
        "close-" + name,
        get(lines) + get(target=b"/smuggled"),
        "9112 9.6",
        persists=False,
    )
    for name, lines in CLOSE.items()
]
CASES += [
    accept("keep-" + name, get(lines), RULE) for name, lines in KEEP.items()
]
CASES += [
    accept(
        "close-post",
        post(b"Connection: close\r\nContent-Length: 2\r\n", b"hi") + get(),
        "9112 9.6",
        body=b"hi",
        persists=False,
    ),
    accept(
        "close-chunked",
        chunked(
            b"2\r\nhi\r\n0\r\n\r\n",
            b"Transfer-Encoding: chunked\r\nConnection: close\r\n",
        )
        + get(),
        "9112 9.6",
        body=b"hi",
        persists=False,
    ),
    accept(
        "close-junk",
        get(b"Connection: close\r\n") + b"junk\r\n\r\n",
        "9112 9.6",
        persists=False,
    ),
    accept(
        "close-second",
        get() + get(b"Connection: close\r\n") + get(),
        "9112 9.6",
        served=2,
        persists=False,
    ),
    accept("1.0", get(version=OLD) + get(), RULE, persists=False),
    accept(
        "1.0-keep-alive", get(b"Connection: keep-alive\r\n", version=OLD), RULE
    ),
    accept(
        "1.0-keep-alive-case",
        get(b"Connection: Keep-Alive\r\n", version=OLD),
        RULE,
    ),
    accept(
        "1.0-keep-alive-list",
        get(b"Connection: x, keep-alive\r\n", version=OLD),
        RULE,
    ),
    accept(
        "1.0-keep-alive-post",
        post(
            b"Connection: keep-alive\r\nContent-Length: 2\r\n",
            b"hi",
            version=OLD,
        ),
        RULE,
        body=b"hi",
    ),
    accept(
        "1.0-both",
        get(b"Connection: keep-alive, close\r\n", version=OLD) + get(),
        "9112 9.6",
        persists=False,
    ),
    accept(
        "1.0-other",
        get(b"Connection: x\r\n", version=OLD) + get(),
        RULE,
        persists=False,
    ),
]
