"""Host: RFC 9112 3.2 (exactly one, valid), RFC 9110 7.2, RFC 3986 3.2.2."""

from wsgibench.audit.http.case import accept, either, get, reject

RULE = "9112 3.2"
VALID = {
    "name": b"example.com",
    "name-port": b"example.com:8080",
    "name-empty-port": b"example.com:",
    "ipv4": b"127.0.0.1",
    "ipv4-port": b"127.0.0.1:80",
    "ipv6": b"[::1]",
    "ipv6-port": b"[::1]:8080",
    "ipv6-v4": b"[::ffff:10.0.0.1]",
    "underscore": b"my_host.example",
    "sub-delims": b"0.0.0.0=5000",
    "percent": b"ex%41mple",
    "upper": b"EXAMPLE.com",
    "dot": b"example.com.",
    "punycode": b"xn--bcher-kva.example",
}
INVALID = {
    "space": b"a b",
    "tab": b"a\tb",
    "slash": b"a/b",
    "query": b"a?b",
    "fragment": b"a#b",
    "userinfo": b"user@example.com",
    "userinfo-port": b"user:pw@example.com",
    "scheme": b"http://example.com",
    "port-text": b"example.com:port",
    "port-minus": b"example.com:-1",
    "port-plus": b"example.com:+1",
    "port-twice": b"example.com:80:80",
    "port-space": b"example.com: 80",
    "bracket-open": b"[::1",
    "bracket-close": b"::1]",
    "bracket-bare": b"[]",
    "bracket-junk": b"[::1]x",
    "bracket-name": b"[example.com]",
    "bracket-port": b"[::1]:x",
    "ipv6-no-bracket": b"2001:db8::1",
    "high-byte": b"caf\xe9",
    "utf-8": "café".encode(),
    "percent-short": b"a%4",
    "percent-bad": b"a%zz",
    "quote": b'"a"',
    "angle": b"<a>",
    "backslash": b"a\\b",
    "caret": b"a^b",
    "brace": b"{a}",
    "bar": b"a|b",
    "backtick": b"a`b",
    "nul": b"a\x00b",
    "del": b"a\x7fb",
    "two-names": b"a.example b.example",
}


def host(value: bytes, version: bytes = b"HTTP/1.1") -> bytes:
    return get(host=b"Host: " + value + b"\r\n", version=version)


CASES = [
    reject("missing", get(host=b""), RULE),
    accept(
        "missing-1.0", get(host=b"", version=b"HTTP/1.0"), RULE, persists=False
    ),
    reject("twice", get(b"Host: b\r\n"), RULE),
    reject("twice-same", get(b"Host: localhost\r\n"), RULE),
    reject("twice-apart", get(b"A: 1\r\nB: 2\r\nhOST: localhost\r\n"), RULE),
    reject("twice-1.0", get(b"Host: b\r\n", version=b"HTTP/1.0"), RULE),
    reject("invalid-1.0", host(b"a b", b"HTTP/1.0"), RULE),
    reject("misspelt", get(host=b"Hosts: localhost\r\n"), RULE),
    reject(
        "space-before-colon", get(host=b"Host : localhost\r\n"), "9112 5.1"
    ),
    either("empty", host(b""), "9110 7.2"),
    either("list", host(b"a,b"), "9112 3.2"),
    either("port-huge", host(b"a:99999999999"), "9110 4.2.1"),
    either("port-only", host(b":80"), "9110 4.2.1"),
    either("zone", host(b"[fe80::1%25eth0]"), "6874"),
    either("ipvfuture", host(b"[v1.a:b]"), "3986 3.2.2"),
    accept(
        "case",
        get(host=b"hOsT: a\r\n"),
        "9110 5.1",
        environ={"HTTP_HOST": "a"},
    ),
    accept(
        "ows",
        get(host=b"Host:\t a \t\r\n"),
        "9112 5.1",
        environ={"HTTP_HOST": "a"},
    ),
    accept("last", get(b"X: y\r\nHost: a\r\n", host=b""), RULE),
]
CASES += [
    accept(
        "valid-" + name,
        host(value),
        RULE,
        environ={"HTTP_HOST": value.decode()},
    )
    for name, value in VALID.items()
]
CASES += [
    reject("invalid-" + name, host(value), RULE)
    for name, value in INVALID.items()
]
