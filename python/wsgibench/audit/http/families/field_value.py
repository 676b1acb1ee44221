"""Field values: RFC 9110 5.5 (bytes), RFC 9112 5.1 (OWS), 2.2 (bare CR)."""

import re

from wsgibench.audit.http.case import accept, either, get, reject

OWS = {
    "none": (b"X:v", "v"),
    "space": (b"X: v", "v"),
    "tab": (b"X:\tv", "v"),
    "both": (b"X: \t v \t ", "v"),
    "after": (b"X: v   ", "v"),
    "tab-after": (b"X: v\t", "v"),
    "many": (b"X:" + b" " * 500 + b"v" + b" " * 500, "v"),
    "empty": (b"X:", ""),
    "only-spaces": (b"X:    ", ""),
    "only-tabs": (b"X:\t\t", ""),
    "inner-space": (b"X: a  b", "a  b"),
    "inner-tab": (b"X: a\tb", "a\tb"),
}
KEPT = {
    "colon": b":v:",
    "quoted": b'"a, b; c=\\"d\\""',
    "comment": b"(comment) v",
    "comma": b"a,b,,c",
    "visible": bytes(range(0x21, 0x7F)),
    "latin-1": b"caf\xe9",
    "utf-8": "naïve €".encode(),
    "nbsp": b"\xa0v\xa0",
    "nel": b"\x85v\x85",
    "long": b"v" * 4000,
    "url": b"http://example.com/?a=b#c",
    "percent": b"%41%0d%0a",
    "looks-like-request": b"GET / HTTP/1.1",
}
CASES = [
    accept(
        "ows-" + name,
        get(line + b"\r\n"),
        "9112 5.1",
        environ={"HTTP_X": value},
    )
    for name, (line, value) in OWS.items()
]
CASES += [
    accept(
        "kept-" + name,
        get(b"X: " + value + b"\r\n"),
        "9110 5.5",
        environ={"HTTP_X": value.decode("latin-1")},
    )
    for name, value in KEPT.items()
]
for start in range(0x80, 0x100, 32):
    VALUE = bytes(range(start, start + 32))
    CASES.append(
        accept(
            "obs-text-%02x" % start,
            get(b"X: " + VALUE + b"\r\n"),
            "9110 5.5",
            environ={"HTTP_X": VALUE.decode("latin-1")},
        )
    )
CASES += [
    either("nul", get(b"X: a\0b\r\n"), "9110 5.5", environ={"HTTP_X": "a b"}),
    either(
        "nul-first",
        get(b"X: \0b\r\n"),
        "9110 5.5",
        environ={"HTTP_X": re.compile(" *b")},
    ),
    either(
        "nul-last",
        get(b"X: b\0\r\n"),
        "9110 5.5",
        environ={"HTTP_X": re.compile("b *")},
    ),
    either("cr", get(b"X: a\rb\r\n"), "9110 5.5", environ={"HTTP_X": "a b"}),
    either(
        "cr-field",
        get(b"X: a\rY: b\r\n"),
        "9110 5.5",
        environ={"HTTP_X": "a Y: b", "HTTP_Y": None},
    ),
    either(
        "cr-last",
        get(b"X: a\r\r\n"),
        "9112 2.2",
        environ={"HTTP_X": re.compile("a *")},
    ),
    either(
        "cr-space",
        get(b"X: a\r b\r\n"),
        "9110 5.5",
        environ={"HTTP_X": re.compile("a +b")},
    ),
    either(
        "lf",
        get(b"X: a\nb: c\r\n"),
        "9112 2.2",
        environ={"HTTP_X": ("a", "a b: c")},
    ),
    either("lf-end", get(b"X: a\n"), "9112 2.2", environ={"HTTP_X": "a"}),
    reject("lf-junk", get(b"X: a\njunk\r\n"), "9112 2.2"),
    reject("cr-in-host", get(host=b"Host: a\rb\r\n"), "9112 3.2"),
    reject("nul-in-length", get(b"Content-Length: 0\0\r\n"), "9112 6.3"),
    reject(
        "lf-smuggles",
        get(b"X: a\nContent-Length: 26\r\nGET / HTTP/1.1\nHost: x\r\n"),
        "9112 2.2",
    ),
]
CASES += [
    either(
        "ctl-%02x" % code,
        get(b"X: a%cb\r\n" % code),
        "9110 5.5",
        environ={"HTTP_X": ("a%cb" % code, "a b")},
    )
    for code in (1, 7, 8, 0x0B, 0x0C, 0x0E, 0x1B, 0x1F, 0x7F)
]
