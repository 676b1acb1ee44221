"""Field names and their colon: RFC 9110 5.1, RFC 9112 5, 5.1."""

from wsgibench.audit.http.case import accept, either, get, reject

TCHAR = b"!#$%&'*+-.^`|~"
BAD = bytes(
    [
        *b'"(),/;<=>?@[\\]{}',
        0,
        1,
        0x08,
        0x0B,
        0x0C,
        0x0E,
        0x1F,
        0x7F,
        0x80,
        0xA0,
        0xE9,
        0xFF,
    ]
)
CASES = [
    reject("byte-%02x" % code, get(b"X%cY: v\r\n" % code), "9110 5.1")
    for code in BAD
]
CASES += [
    reject("end-byte-%02x" % code, get(b"X%c: v\r\n" % code), "9112 5.1")
    for code in (0, 0x09, 0x0B, 0x0C, 0x20, 0x7F, 0x85, 0xA0)
]
CASES += [
    accept(
        "tchar-%02x" % code,
        get(b"X%cY: v\r\n" % code),
        "9110 5.1",
        environ={"HTTP_X%cY" % (95 if code == 45 else code): "v"},
    )
    for code in TCHAR
]
CASES += [
    reject("space-inside", get(b"X Y: v\r\n"), "9112 5.1"),
    reject("tab-inside", get(b"X\tY: v\r\n"), "9112 5.1"),
    reject("two-spaces-before-colon", get(b"X  : v\r\n"), "9112 5.1"),
    reject("no-colon", get(b"X\r\n"), "9112 5"),
    reject("no-colon-value", get(b"X value\r\n"), "9112 5"),
    reject("no-colon-last", get(b"X: v\r\nY\r\n"), "9112 5"),
    reject("no-colon-first", get(b"Host: a\r\n", host=b"X\r\n"), "9112 5"),
    reject("equals", get(b"X=v\r\n"), "9112 5"),
    reject("empty-name", get(b": v\r\n"), "9110 5.1"),
    reject("only-colon", get(b":\r\n"), "9110 5.1"),
    either("space-colon", get(b"A: b\r\n : v\r\n"), "9112 5.2"),
    reject("utf-8", get("Xé: v\r\n".encode()), "9110 5.1"),
    reject("cr-inside", get(b"X\rY: v\r\n"), "9112 2.2"),
    reject("lf-inside", get(b"X\nY: v\r\n"), "9112 2.2"),
    reject("crlf-inside", get(b"X\r\nY: v\r\n"), "9112 5"),
    reject(
        "cr-x-end-of-head", b"GET / HTTP/1.1\r\nHost: a\r\n\rX", "9112 2.2"
    ),
    reject(
        "cr-cr-end-of-head", b"GET / HTTP/1.1\r\nHost: a\r\n\r\r\n", "9112 2.2"
    ),
    accept(
        "digits", get(b"123: v\r\n"), "9110 5.1", environ={"HTTP_123": "v"}
    ),
    accept("lower", get(b"x-y: v\r\n"), "9110 5.1", environ={"HTTP_X_Y": "v"}),
    accept("upper", get(b"X-Y: v\r\n"), "9110 5.1", environ={"HTTP_X_Y": "v"}),
    accept("one-letter", get(b"a:b\r\n"), "9110 5.1", environ={"HTTP_A": "b"}),
    accept("hyphens", get(b"--: v\r\n"), "9110 5.1", environ={"HTTP___": "v"}),
    accept(
        "long",
        get(b"X" * 200 + b": v\r\n"),
        "9110 5.1",
        environ={"HTTP_" + "X" * 200: "v"},
    ),
    accept(
        "content-type",
        get(b"content-TYPE: a/b\r\n"),
        "3875 4.1.3",
        environ={"CONTENT_TYPE": "a/b", "HTTP_CONTENT_TYPE": None},
    ),
    accept(
        "many",
        get(b"".join(b"X-%d: %d\r\n" % (n, n) for n in range(90))),
        "9110 5.4",
        environ={"HTTP_X_89": "89"},
    ),
    accept(
        "proxy",
        get(b"Proxy: evil\r\n"),
        "3875 4.1.18 (httpoxy)",
        environ={"HTTP_PROXY": (None, "evil")},
    ),
]
