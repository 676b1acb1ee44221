"""PATH_INFO and QUERY_STRING: PEP 3333 "Unicode Issues", RFC 3875 4.1.5,
RFC 3986 2.1. Decoded once, as latin-1; the query is left alone."""

from urllib.parse import unquote_to_bytes

from wsgibench.audit.http.case import accept, either, get

RULE = "PEP 3333; 3875 4.1.5"
TARGETS = {
    "plain": b"/a/b",
    "root": b"/",
    "slashes": b"//a///b//",
    "dots": b"/a/./b/../c",
    "dotdot": b"/../../etc/passwd",
    "slash-upper": b"/a%2Fb",
    "slash-lower": b"/a%2fb",
    "space": b"/a%20b",
    "plus": b"/a+b",
    "percent": b"/100%25",
    "twice": b"/%2541",
    "question": b"/a%3Fb",
    "hash": b"/a%23b",
    "semicolon": b"/a;p=1/b",
    "pchar": b"/-._~!$&'()*+,;=:@",
    "letter": b"/%41%61",
    "utf-8": b"/caf%C3%A9",
    "euro": b"/%E2%82%AC",
    "latin-1": b"/caf%E9",
    "bad-utf-8": b"/%FF%FE%80",
    "overlong": b"/%C0%AF",
    "crlf": b"/a%0D%0Ab",
    "mixed-case": b"/%c3%A9",
    "colon-first": b"/:80",
    "authority-like": b"//example.com/a",
    "url-inside": b"/http://example.com/a",
    "long": b"/" + b"a" * 2000,
    "long-encoded": b"/" + b"%61" * 700,
    "backslash": b"/a%5Cb",
    "high-plane": b"/%F0%9F%98%80",
}
QUERIES = {
    "none": (b"/a", ""),
    "empty": (b"/a?", ""),
    "plain": (b"/a?b=c", "b=c"),
    "encoded": (b"/a?b=%20%2F", "b=%20%2F"),
    "second-question": (b"/a?b?c", "b?c"),
    "slash": (b"/a?b/c", "b/c"),
    "question-first": (b"/a??", "?"),
    "plus": (b"/a?b+c", "b+c"),
    "asterisk": (b"/a?*", "*"),
    "url": (b"/a?u=http://h/?x", "u=http://h/?x"),
    "percent-bad": (b"/a?100%", "100%"),
}


def decoded(target: bytes) -> str:
    return unquote_to_bytes(target).decode("latin-1")


CASES = [
    accept(
        name,
        get(target=target),
        RULE,
        environ={"PATH_INFO": decoded(target), "QUERY_STRING": ""},
    )
    for name, target in TARGETS.items()
]
CASES += [
    accept(
        "query-" + name,
        get(target=target),
        RULE,
        environ={"PATH_INFO": "/a", "QUERY_STRING": query},
    )
    for name, (target, query) in QUERIES.items()
]
for start in range(0, 256, 32):
    codes = [code for code in range(start, start + 32) if code]
    target = b"/" + b"".join(b"%%%02X" % code for code in codes)
    CASES.append(
        accept(
            "bytes-%02x" % start,
            get(target=target),
            RULE,
            environ={"PATH_INFO": decoded(target)},
        )
    )
CASES += [
    either("nul", get(target=b"/a%00b"), RULE, environ={"PATH_INFO": "/a\0b"}),
    either(
        "percent-end",
        get(target=b"/100%"),
        "3986 2.1",
        environ={"PATH_INFO": "/100%"},
    ),
    either(
        "percent-one",
        get(target=b"/%4"),
        "3986 2.1",
        environ={"PATH_INFO": "/%4"},
    ),
    either(
        "percent-bad",
        get(target=b"/%zz%41"),
        "3986 2.1",
        environ={"PATH_INFO": "/%zzA"},
    ),
    either(
        "percent-sign",
        get(target=b"/%+1"),
        "3986 2.1",
        environ={"PATH_INFO": "/%+1"},
    ),
]
