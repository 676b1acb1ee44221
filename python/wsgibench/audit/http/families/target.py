"""Request targets that are none of the four forms: RFC 9112 3.2."""

from wsgibench.audit.http.case import accept, either, get, reject

RULE = "9112 3.2"
BAD = {
    "asterisk-get": b"*",
    "asterisk-more": b"*/x",
    "relative": b"foo",
    "relative-deep": b"foo/bar",
    "dot": b"./foo",
    "query-only": b"?a=b",
    "empty": b"",
    "authority": b"example.com:80",
    "backslash": b"\\foo",
    "bang": b"!",
    "semicolon": b";a",
    "space": b"/a b",
    "nul": b"/a\x00b",
    "soh": b"/a\x01b",
    "esc": b"/a\x1bb",
    "del": b"/a\x7fb",
    "nul-first": b"\x00/a",
    "nul-query": b"/a?b\x00",
    "fragment-only": b"#a",
}
FREE = {
    "fragment": b"/a#b",
    "quote": b'/"a"',
    "angle": b"/<a>",
    "caret": b"/^",
    "bar": b"/a|b",
    "brace": b"/{a}",
    "backslash-inside": b"/a\\b",
    "backtick": b"/`",
    "bracket": b"/a[0]",
    "bracket-query": b"/?a[]=1",
}
CASES = [
    accept(
        "options-asterisk",
        get(target=b"*", method=b"OPTIONS"),
        "9112 3.2.4",
        environ={"PATH_INFO": ("", "*", "/")},
    ),
    accept(
        "options-path",
        get(target=b"/a", method=b"OPTIONS"),
        "9112 3.2.1",
        environ={"PATH_INFO": "/a"},
    ),
    reject("asterisk-post", get(target=b"*", method=b"POST"), "9112 3.2.4"),
    reject("asterisk-head", get(target=b"*", method=b"HEAD"), "9112 3.2.4"),
    reject(
        "connect-path",
        get(target=b"/a", method=b"CONNECT"),
        "9112 3.2.3",
        statuses=(400, 405, 501),
    ),
    reject(
        "connect-asterisk",
        get(target=b"*", method=b"CONNECT"),
        "9112 3.2.3",
        statuses=(400, 405, 501),
    ),
    reject(
        "connect-no-port",
        get(target=b"[::1", method=b"CONNECT"),
        "9112 3.2.3",
        statuses=(400, 405, 501),
    ),
    either(
        "connect",
        get(target=b"example.com:443", method=b"CONNECT"),
        "9110 9.3.6",
        statuses=(400, 405, 501),
        persists=None,
    ),
    either("tab", get(target=b"/a\tb"), "9112 3"),
    either(
        "byte-80",
        get(target=b"/\x80"),
        "3986 3.3",
        environ={"PATH_INFO": "/\x80"},
    ),
    either(
        "byte-ff",
        get(target=b"/\xff"),
        "3986 3.3",
        environ={"PATH_INFO": "/\xff"},
    ),
    either(
        "utf-8",
        get(target="/é".encode()),
        "3986 3.3",
        environ={"PATH_INFO": "/\xc3\xa9"},
    ),
    either(
        "byte-a0",
        get(target=b"/a\xa0b"),
        "3986 3.3",
        environ={"PATH_INFO": "/a\xa0b"},
    ),
]
CASES += [
    reject(name, get(target=target), RULE) for name, target in BAD.items()
]
CASES += [
    either("free-" + name, get(target=target), RULE)
    for name, target in FREE.items()
]
