"""Pipelining: answers in the order of the requests, RFC 9112 9.3.2."""

from wsgibench.audit.http.case import accept, chunked, get, post, reject

RULE = "9112 9.3.2"
POST = post(b"Content-Length: 5\r\n", b"hello")
CHUNKED = chunked(b"5\r\nhello\r\n0\r\n\r\n")
HEAD = get(method=b"HEAD")
CASES = [
    accept("gets-%d" % count, get() * count, RULE, served=count)
    for count in (2, 5, 20, 100)
]
CASES += [
    accept("posts", POST * 10, RULE, served=10),
    accept("chunked", CHUNKED * 10, RULE, served=10),
    accept("heads", HEAD * 10, RULE, served=10),
    accept("mixed", (get() + POST + CHUNKED + HEAD) * 5, RULE, served=20),
    accept("crlf-between", (get() + b"\r\n") * 5, "9112 2.2", served=5),
    accept("crlf-after-post", POST + b"\r\n" + get(), "9112 2.2", served=2),
    accept("half-closed", get() * 3, "9112 9.6", served=3, half_close=True),
    accept(
        "half-closed-post", POST, "9112 9.6", half_close=True, body=b"hello"
    ),
    reject("refused-second", get() + get(b"X y\r\n"), RULE, served=1),
    reject("refused-third", POST + CHUNKED + get(host=b""), RULE, served=2),
    reject("refused-body", get() + chunked(b"x\r\n"), RULE, served=1),
    reject("refused-first", get(b"X y\r\n") + get(target=b"/smuggled"), RULE),
    reject(
        "no-length-body",
        post(b"", b"hello=world\r\n\r\n"),
        "9112 6.3",
        served=1,
    ),
]
