"""Transfer-Encoding: RFC 9112 6.1, 6.3 (chunked once and last, else 400 and
close; with Content-Length: refuse, or chunked wins and the connection ends;
in HTTP/1.0: faulty framing, close), 7 (unknown codings: 501)."""

from wsgibench.audit.http.case import (
    CHUNKED,
    accept,
    chunked,
    either,
    get,
    post,
    reject,
)

RULE = "9112 6.3"
WIRE = b"5\r\nhello\r\n0\r\n\r\n"
LENGTH = b"Content-Length: 5\r\n"
REFUSED = (400, 501)
BAD = {
    "empty": b"",
    "identity": b"identity",
    "gzip": b"gzip",
    "deflate": b"deflate",
    "unknown": b"pigeons",
    "not-last": b"chunked, gzip",
    "not-last-identity": b"chunked, identity",
    "suffix": b"chunkedx",
    "prefix": b"xchunked",
    "glued": b"chunkedchunked",
    "vt-before": b"\x0bchunked",
    "vt-after": b"chunked\x0b",
    "ff-before": b"\x0cchunked",
    "nul-after": b"chunked\0",
    "nul-inside": b"chun\0ked",
    "cr-inside": b"chun\rked",
    "quoted": b'"chunked"',
    "single-quoted": b"'chunked'",
    "inner-space": b"chunk ed",
    "second-word": b"chunked x",
    "nbsp": b"\xa0chunked\xa0",
    "nel": b"chunked\x85",
    "high-byte": b"\xffchunked",
    "semicolon-before": b";chunked",
    "colon": b": chunked",
    "minus": b"-chunked",
    "plural": b"chunkeds",
    "hyphen": b"chunk-ed",
    "dotless": "chunĸed".encode(),
    "percent": b"%63hunked",
    "bracket": b"[chunked]",
    "trailers": b"trailers",
    "list-unknown": b"x, y",
    "chunked-in-parameter": b"x;y=chunked",
    "tab-inside": b"chun\tked",
}
FREE = {
    "twice": b"chunked, chunked",
    "empty-first": b",chunked",
    "empty-first-space": b" , chunked",
    "empty-last": b"chunked,",
    "empty-last-space": b"chunked, ",
    "gzip-chunked": b"gzip, chunked",
    "identity-chunked": b"identity, chunked",
    "unknown-chunked": b"pigeons, chunked",
    "parameter": b"chunked;q=1",
    "parameter-empty": b"chunked;",
}
GOOD = {
    "plain": b"chunked",
    "upper": b"CHUNKED",
    "mixed": b"cHuNkEd",
    "spaces": b"  chunked  ",
    "tab": b"\tchunked\t",
}


def coding(value: bytes) -> bytes:
    return b"Transfer-Encoding: " + value + b"\r\n"


CASES = [
    reject("bad-" + name, chunked(WIRE, coding(value)), RULE, statuses=REFUSED)
    for name, value in BAD.items()
]
CASES += [
    reject(
        "bad-length-" + name,
        chunked(WIRE, LENGTH + coding(value)),
        RULE,
        statuses=REFUSED,
    )
    for name, value in BAD.items()
]
CASES += [
    either(
        "free-" + name,
        chunked(WIRE, coding(value)),
        "9112 6.1",
        statuses=REFUSED,
        persists=None,
    )
    for name, value in FREE.items()
]
CASES += [
    either(
        "free-length-" + name,
        chunked(WIRE, LENGTH + coding(value)),
        "9112 6.1",
        statuses=REFUSED,
        persists=False,
    )
    for name, value in FREE.items()
]
CASES += [
    accept(
        "good-" + name, chunked(WIRE, coding(value)), "9112 7", body=b"hello"
    )
    for name, value in GOOD.items()
]
CASES += [
    accept(
        "longer-name",  # another field, whatever its value
        chunked(WIRE, CHUNKED + b"Transfer-Encoding-Note: none\r\n"),
        "9110 5.1",
        body=b"hello",
    ),
    either(
        "with-length",
        post(CHUNKED + LENGTH, WIRE),
        RULE,
        body=b"hello",
        persists=False,
    ),
    either(
        "with-length-first",
        post(LENGTH + CHUNKED, WIRE),
        RULE,
        body=b"hello",
        persists=False,
    ),
    either(
        "with-length-zero",
        post(CHUNKED + b"Content-Length: 0\r\n", WIRE),
        RULE,
        body=b"hello",
        persists=False,
    ),
    either(
        "with-right-length",
        post(CHUNKED + b"Content-Length: 15\r\n", WIRE),
        RULE,
        body=b"hello",
        persists=False,
    ),
    either(
        "cl-te",
        post(b"Content-Length: 6\r\n" + CHUNKED, b"0\r\n\r\nG"),
        RULE,
        body=b"",
        persists=False,
    ),
    either(
        "te-cl",
        post(b"Content-Length: 3\r\n" + CHUNKED, b"1\r\nG\r\n0\r\n\r\n"),
        RULE,
        body=b"G",
        persists=False,
    ),
    reject(
        "with-length-bad", post(CHUNKED + b"Content-Length: x\r\n", WIRE), RULE
    ),
    reject(
        "lines-chunked-identity",
        chunked(WIRE, CHUNKED + coding(b"identity")),
        RULE,
        statuses=REFUSED,
    ),
    reject(
        "lines-chunked-gzip",
        chunked(WIRE, CHUNKED + coding(b"gzip")),
        RULE,
        statuses=REFUSED,
    ),
    reject(
        "lines-chunked-x",
        chunked(WIRE, CHUNKED + coding(b"x")),
        RULE,
        statuses=REFUSED,
    ),
    reject(
        "lines-chunked-empty-x",
        chunked(WIRE, CHUNKED + coding(b"") + coding(b"x")),
        RULE,
        statuses=REFUSED,
    ),
    either(
        "lines-identity-chunked",
        chunked(WIRE, coding(b"identity") + CHUNKED),
        "9112 6.1",
        statuses=REFUSED,
        persists=None,
    ),
    either(
        "lines-x-chunked",
        chunked(WIRE, coding(b"x") + CHUNKED),
        "9112 6.1",
        statuses=REFUSED,
        persists=None,
    ),
    either(
        "lines-chunked-chunked",
        chunked(WIRE, CHUNKED + CHUNKED),
        "9112 6.1",
        statuses=REFUSED,
        persists=None,
    ),
    reject(
        "quad",
        chunked(WIRE, coding(b"identity, chunked, identity, chunked")),
        "9112 6.1",
        statuses=REFUSED,
    ),
    reject(
        "name-space",
        chunked(WIRE, b"Transfer-Encoding : chunked\r\n"),
        "9112 5.1",
    ),
    reject(
        "name-tab",
        chunked(WIRE, b"Transfer-Encoding\t: chunked\r\n"),
        "9112 5.1",
    ),
    reject(
        "name-nul",
        chunked(WIRE, b"Transfer-Encoding\0: chunked\r\n"),
        "9112 5.1",
    ),
    reject(
        "name-inner-space",
        chunked(WIRE, b"Transfer Encoding: chunked\r\n"),
        "9112 5.1",
    ),
    reject(
        "name-cr",
        chunked(WIRE, b"Transfer\rEncoding: chunked\r\n"),
        "9112 2.2",
    ),
    reject(
        "name-broken",
        chunked(WIRE, b"Transfer-\r\nEncoding: chunked\r\n"),
        "9112 5",
    ),
    reject(
        "name-vt",
        chunked(WIRE, b"\x0bTransfer-Encoding: chunked\r\n"),
        "9112 5.1",
    ),
    reject(
        "no-colon", chunked(WIRE, b"Transfer-Encoding chunked\r\n"), "9112 5"
    ),
    either(
        "after-cr",
        chunked(b"hello", LENGTH + b"X: y\rTransfer-Encoding: chunked\r\n"),
        "9112 2.2",
        body=b"hello",
    ),
    accept(
        "te-field",
        post(LENGTH + b"TE: chunked\r\n", b"hello"),
        "9110 10.1.4",
        body=b"hello",
    ),
    accept(
        "similar-name",
        post(LENGTH + b"X-Transfer-Encoding: chunked\r\n", b"hello"),
        "9112 6.1",
        body=b"hello",
    ),
    accept("get", chunked(WIRE, method=b"GET"), "9112 6", body=b"hello"),
    accept(
        "two-posts",
        chunked(WIRE) + chunked(WIRE),
        "9112 7.1",
        body=b"hello",
        served=2,
    ),
    either(
        "1.0",
        chunked(WIRE, version=b"HTTP/1.0"),
        "9112 6.1",
        body=b"hello",
        persists=False,
    ),
    either(
        "1.0-keep-alive",
        chunked(
            WIRE, CHUNKED + b"Connection: keep-alive\r\n", version=b"HTTP/1.0"
        ),
        "9112 6.1",
        body=b"hello",
        persists=False,
    ),
    either(
        "1.0-length",
        chunked(WIRE, CHUNKED + LENGTH, version=b"HTTP/1.0"),
        "9112 6.1",
        persists=False,
    ),
    reject("get-identity", get(coding(b"identity")), RULE, statuses=REFUSED),
    reject(
        "1.0-unknown",
        get(coding(b"x"), version=b"HTTP/1.0"),
        RULE,
        statuses=REFUSED,
    ),
]
