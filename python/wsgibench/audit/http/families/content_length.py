"""Content-Length: RFC 9110 8.6 (1*DIGIT), RFC 9112 6.3 (else 400, close)."""

from wsgibench.audit.http.case import accept, either, get, post, reject

RULE = "9112 6.3"
BAD = {
    "empty": b"",
    "plus": b"+5",
    "minus": b"-5",
    "minus-zero": b"-0",
    "hex": b"0x5",
    "hex-letter": b"a",
    "octal": b"0o5",
    "underscore": b"1_0",
    "float": b"5.0",
    "exponent": b"5e0",
    "suffix": b"5x",
    "prefix": b"x5",
    "inner-space": b"5 5",
    "inner-tab": b"5\t5",
    "comma-end": b"5,",
    "comma-start": b",5",
    "list-differs": b"5, 6",
    "list-junk": b"5, x",
    "semicolon": b"5;",
    "quoted": b'"5"',
    "full-width": "５".encode(),
    "arabic": "٥".encode(),
    "superscript": b"\xb25",
    "nbsp": b"\xa05",
    "nel": b"5\x85",
    "nul": b"5\0",
    "nul-first": b"\x005",
    "vt": b"5\x0b",
    "ff": b"\x0c5",
    "cr": b"5\r5",
    "word": b"five",
    "null": b"null",
    "nan": b"NaN",
    "chunked": b"chunked",
    "equals": b"=5",
    "colon": b": 5",
    "percent": b"%35",
    "space-minus": b"5 -",
}
# Nothing of these must wrap round to a small number.
HUGE = {
    "2^32": 2**32,
    "2^32+5": 2**32 + 5,
    "2^63-1": 2**63 - 1,
    "2^63": 2**63,
    "2^64-1": 2**64 - 1,
    "2^64": 2**64,
    "2^64+5": 2**64 + 5,
    "2^65+5": 2**65 + 5,
    "2^128+5": 2**128 + 5,
    "10^40": 10**40,
    "10^400": 10**400,
}
FIVE = b"Content-Length: 5\r\n"


def length(value: bytes, body: bytes = b"hello") -> bytes:
    return post(b"Content-Length: " + value + b"\r\n", body)


CASES = [
    reject("bad-" + name, length(value), RULE) for name, value in BAD.items()
]
CASES += [
    reject(
        "huge-" + name,
        length(b"%d" % value),
        "9110 8.6",
        statuses=(400, 413),
        waits=True,
    )
    for name, value in HUGE.items()
]
CASES += [
    accept(
        "plain",
        post(FIVE, b"hello"),
        RULE,
        body=b"hello",
        environ={"CONTENT_LENGTH": "5", "HTTP_CONTENT_LENGTH": None},
    ),
    accept("zero", length(b"0", b""), RULE, body=b""),
    accept(
        "none",
        get(),
        RULE,
        body=b"",
        environ={"CONTENT_LENGTH": (None, "", "0")},
    ),
    accept("leading-zeros", length(b"0005"), "9110 8.6", body=b"hello"),
    accept("many-zeros", length(b"0" * 40 + b"5"), "9110 8.6", body=b"hello"),
    accept("spaces", length(b"   5   "), "9112 5.1", body=b"hello"),
    accept(
        "tab-before",
        post(b"Content-Length:\t5\r\n", b"hello"),
        "9112 5.1",
        body=b"hello",
    ),
    accept("tab-after", length(b"5\t"), "9112 5.1", body=b"hello"),
    accept(
        "no-space",
        post(b"Content-Length:5\r\n", b"hello"),
        "9112 5.1",
        body=b"hello",
    ),
    accept(
        "case",
        post(b"cOnTeNt-lEnGtH: 5\r\n", b"hello"),
        "9110 5.1",
        body=b"hello",
    ),
    accept(
        "binary",
        length(b"256", bytes(range(256))),
        RULE,
        body=bytes(range(256)),
    ),
    accept("crlf-body", length(b"4", b"\r\n\r\n"), RULE, body=b"\r\n\r\n"),
    accept(
        "request-body",
        length(b"33", b"GET /smuggled HTTP/1.1\r\nHost: a\r\n"),
        RULE,
        body=b"GET /smuggled HTTP/1.1\r\nHost: a\r\n",
    ),
    accept("big", length(b"100000", b"x" * 100000), RULE, body=b"x" * 100000),
    accept(
        "1.0",
        post(FIVE, b"hello", version=b"HTTP/1.0"),
        RULE,
        body=b"hello",
        persists=False,
    ),
    accept(
        "two-posts",
        post(FIVE, b"hello") + post(FIVE, b"world"),
        RULE,
        body=b"hello",
        served=2,
    ),
    either("twice-same", post(FIVE + FIVE, b"hello"), RULE, body=b"hello"),
    either("list-same", length(b"5, 5"), RULE, body=b"hello"),
    either("list-same-tight", length(b"5,5"), RULE, body=b"hello"),
    reject(
        "twice-differs", post(FIVE + b"Content-Length: 6\r\n", b"hello!"), RULE
    ),
    reject(
        "twice-differs-down",
        post(b"Content-Length: 6\r\n" + FIVE, b"hello!"),
        RULE,
    ),
    reject(
        "twice-zero", post(b"Content-Length: 0\r\n" + FIVE, b"hello"), RULE
    ),
    reject(
        "twice-zero-last",
        post(FIVE + b"Content-Length: 0\r\n", b"hello"),
        RULE,
    ),
    reject(
        "twice-junk", post(FIVE + b"Content-Length: x\r\n", b"hello"), RULE
    ),
    reject("twice-empty", post(FIVE + b"Content-Length:\r\n", b"hello"), RULE),
    reject(
        "twice-apart",
        post(FIVE + b"X: y\r\ncontent-length: 6\r\n", b"hello!"),
        RULE,
    ),
    reject(
        "thrice", post(FIVE + FIVE + b"Content-Length: 6\r\n", b"hello!"), RULE
    ),
    reject(
        "space-before-colon",
        post(b"Content-Length : 5\r\n", b"hello"),
        "9112 5.1",
    ),
    reject(
        "tab-before-colon",
        post(b"Content-Length\t: 5\r\n", b"hello"),
        "9112 5.1",
    ),
    reject("no-colon", post(b"Content-Length 5\r\n", b"hello"), "9112 5"),
    reject(
        "space-in-name", post(b"Content Length: 5\r\n", b"hello"), "9112 5"
    ),
    reject(
        "cr-in-name", post(b"Content\rLength: 5\r\n", b"hello"), "9112 2.2"
    ),
    reject("get-bad", get(b"Content-Length: x\r\n"), RULE),
    reject("head-bad", get(b"Content-Length: x\r\n", method=b"HEAD"), RULE),
    reject(
        "1.0-bad", get(b"Content-Length: x\r\n", version=b"HTTP/1.0"), RULE
    ),
    reject(
        "cut-off",
        length(b"10", b"hello"),
        "9112 8 (incomplete)",
        half_close=True,
    ),
]
