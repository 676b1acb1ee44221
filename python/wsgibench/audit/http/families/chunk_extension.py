"""Chunk extensions: RFC 9112 7.1.1 (unknown ones are ignored)."""

from wsgibench.audit.http.case import accept, chunked, either, reject

RULE = "9112 7.1.1"
GOOD = {
    "name": b";a",
    "value": b";a=b",
    "quoted": b';a="b"',
    "quoted-semicolon": b';a="b;c"',
    "quoted-escape": b';a="b\\"c"',
    "quoted-empty": b';a=""',
    "several": b";a=b;c;d=e",
    "long-name": b";" + b"a" * 100,
    "long-value": b";a=" + b"b" * 100,
    "tchar": b";!#$%&'*+-.^_`|~=1",
}
FREE = {
    "bws": b"; a = b",
    "bws-before": b" ;a",
    "bws-after": b";a ",
    "tab": b";\ta",
    "empty": b";",
    "empties": b";;a",
    "no-value": b";a=",
    "no-name": b";=b",
    "quote-open": b';a="b',
    "high-byte": b";a=\x80",
    "quoted-high-byte": b';a="\xe9"',
    "at": b";@",
}
BAD = {
    "lf": b";a=b\n",
    "lf-inside": b";a\nb",
    "cr-inside": b";a\rb",
    "cr-x": b";a=b\rX",
    "crcr": b";a=b\r\r",
    "nul": b";a=\0",
    "quoted-lf": b';a="\nb"',
    "quoted-cr": b';a="\rb"',
    "ctl": b";a=\x01",
    "del": b";a=\x7f",
    "no-semicolon": b" a=b",
    "comma": b",a=b",
    "cr-before": b"\r;a",
}


def extended(extension: bytes) -> bytes:
    return chunked(b"5" + extension + b"\r\nhello\r\n0\r\n\r\n")


CASES = [
    accept(name, extended(text), RULE, body=b"hello")
    for name, text in GOOD.items()
]
CASES += [
    either("free-" + name, extended(text), RULE, body=b"hello")
    for name, text in FREE.items()
]
CASES += [
    reject("bad-" + name, extended(text), "9112 7.1.1, 2.2")
    for name, text in BAD.items()
]
CASES += [
    accept(
        "last-chunk",
        chunked(b"5\r\nhello\r\n0;a=b\r\n\r\n"),
        RULE,
        body=b"hello",
    ),
    reject("last-chunk-lf", chunked(b"5\r\nhello\r\n0;a=b\n\r\n"), "9112 2.2"),
    reject(
        "lf-hides-request",
        chunked(
            b"2;\nxx\r\n4c\r\n0\r\n\r\n"
            b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"
        ),
        "9112 2.2",
    ),
]
