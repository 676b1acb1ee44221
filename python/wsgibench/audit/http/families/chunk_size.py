"""Chunk sizes: RFC 9112 7.1 (1*HEXDIG; overflow must be prevented)."""

from wsgibench.audit.http.case import accept, chunked, either, reject

RULE = "9112 7.1"
BAD = {
    "empty": b"",
    "letter": b"g",
    "hex-prefix": b"0x5",
    "plus": b"+5",
    "minus": b"-5",
    "minus-zero": b"-0",
    "underscore": b"0_5",
    "float": b"5.0",
    "suffix-h": b"5h",
    "suffix-text": b"5these-bytes",
    "space-before": b" 5",
    "tab-before": b"\t5",
    "spaces-before": b"        5",
    "inner-space": b"0 5",
    "second-word": b"5 a",
    "comma": b"5,",
    "superscript": b"\xb25",
    "high-byte": b"5\x80",
    "nbsp": b"\xa05",
    "full-width": "５".encode(),
    "nul": b"5\0",
    "nul-first": b"\x005",
    "vt": b"\x0b5",
    "ff": b"5\x0c",
    "cr": b"\r5",
    "quote": b'"5"',
    "percent": b"%35",
    "colon": b"5:",
    "equals": b"5=5",
    "slash": b"5/",
    "at": b"5@",
    "backtick": b"5`",
    "bracket": b"5[",
    "only-extension": b";a=b",
    "space-extension": b" ;a=b",
}
HUGE = {
    "2^32+5": 2**32 + 5,
    "2^63+5": 2**63 + 5,
    "2^63-1": 2**63 - 1,
    "2^64-1": 2**64 - 1,
    "2^64-2": 2**64 - 2,
    "2^64+5": 2**64 + 5,
    "2^68+5": 2**68 + 5,
    "2^128+5": 2**128 + 5,
    "2^1024+5": 2**1024 + 5,
}
GOOD = {
    "lower": (b"a\r\n0123456789\r\n", b"0123456789"),
    "upper": (b"A\r\n0123456789\r\n", b"0123456789"),
    "leading-zeros": (b"0005\r\nhello\r\n", b"hello"),
    "two-digits": (
        b"1e\r\nall your base are belong to us\r\n",
        b"all your base are belong to us",
    ),
    "mixed-case": (b"aB\r\n" + b"x" * 171 + b"\r\n", b"x" * 171),
    "one-byte-chunks": (b"1\r\nh\r\n" * 50, b"h" * 50),
    "crlf-data": (b"2\r\n\r\n\r\n", b"\r\n"),
    "looks-like-end": (b"5\r\n0\r\n\r\n\r\n", b"0\r\n\r\n"),
    "looks-like-request": (
        b"19\r\nGET /smuggled HTTP/1.1\r\nX\r\n",
        b"GET /smuggled HTTP/1.1\r\nX",
    ),
    "big": (b"10000\r\n" + b"x" * 65536 + b"\r\n", b"x" * 65536),
    "many": (
        b"".join(b"%x\r\n%b\r\n" % (n, b"y" * n) for n in range(1, 40)),
        b"y" * 780,
    ),
}
END = b"0\r\n\r\n"
CASES = [
    reject("bad-" + name, chunked(size + b"\r\nhello\r\n" + END), RULE)
    for name, size in BAD.items()
]
CASES += [
    reject(
        "bad-last-" + name,
        chunked(b"5\r\nhello\r\n" + size + b"\r\n\r\n"),
        RULE,
    )
    for name, size in {
        "empty": b"",
        "hex": b"0x0",
        "minus": b"-0",
        "plus": b"+0",
        "space": b" 0",
        "letter": b"0g",
        "underscore": b"0_0",
    }.items()
]
CASES += [
    reject(
        "huge-" + name,
        chunked(b"%x\r\nhello\r\n" % size + END),
        "9112 7.1 (overflow)",
        statuses=(400, 413),
        waits=True,
    )
    for name, size in HUGE.items()
]
CASES += [
    accept("good-" + name, chunked(wire + END), RULE, body=body)
    for name, (wire, body) in GOOD.items()
]
CASES += [
    accept("empty-body", chunked(END), RULE, body=b""),
    accept(
        "last-zeros",
        chunked(b"5\r\nhello\r\n000\r\n\r\n"),
        RULE,
        body=b"hello",
    ),
    either(
        "very-many-zeros",
        chunked(b"0" * 300 + b"5\r\nhello\r\n" + END),
        RULE,
        body=b"hello",
    ),
    either(
        "space-after",
        chunked(b"5 \r\nhello\r\n" + END),
        "9112 7.1.1 (BWS)",
        body=b"hello",
    ),
    either(
        "tab-after",
        chunked(b"5\t\r\nhello\r\n" + END),
        "9112 7.1.1 (BWS)",
        body=b"hello",
    ),
    either(
        "space-after-last",
        chunked(b"5\r\nhello\r\n0 \r\n\r\n"),
        "9112 7.1.1 (BWS)",
        body=b"hello",
    ),
    reject(
        "hidden-request",
        chunked(
            b"0_2e\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n"
            b"Content-Length: 5\r\n\r\n" + END
        ),
        RULE,
    ),
]
