"""A body that the application leaves unread, or reads past its end: never
parsed as a request (RFC 9112 9.3), never the next request's bytes."""

from wsgibench.audit.http.case import accept, chunked, get, post

RULE = "9112 9.3"
HIDDEN = get(target=b"/smuggled")
CASES = []
for path in (b"/unread", b"/over-read"):
    name = path[1:].decode()
    body = None if name == "unread" else HIDDEN
    CASES += [
        accept(
            name + "-length",
            post(b"Content-Length: %d\r\n" % len(HIDDEN), HIDDEN, target=path),
            RULE,
            body=body,
            persists=None,
        ),
        accept(
            name + "-chunked",
            chunked(
                b"%x\r\n%b\r\n0\r\n\r\n" % (len(HIDDEN), HIDDEN), target=path
            ),
            RULE,
            body=body,
            persists=None,
        ),
        accept(name + "-none", get(target=path), RULE, body=b""),
        accept(
            name + "-get",
            post(
                b"Content-Length: %d\r\n" % len(HIDDEN),
                HIDDEN,
                target=path,
                method=b"GET",
            ),
            RULE,
            body=body,
            persists=None,
        ),
        accept(
            name + "-large",
            post(
                b"Content-Length: 1000000\r\n",
                (HIDDEN * 30000)[:1000000],
                target=path,
            ),
            RULE,
            persists=None,
        ),
        accept(
            name + "-pipelined",
            post(b"Content-Length: 3\r\n", b"abc", target=path) * 3,
            RULE,
            served=3,
            persists=None,
        ),
    ]
