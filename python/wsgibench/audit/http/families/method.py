"""Methods: RFC 9110 9.1 (a token, case-sensitive); HEAD: 9.3.2."""

from wsgibench.audit.http.case import accept, either, get, post, reject

KNOWN = [b"GET", b"POST", b"PUT", b"DELETE", b"OPTIONS", b"PATCH", b"TRACE"]
OTHERS = [
    b"REPORT",
    b"M-SEARCH",
    b"PROPFIND",
    b"QUERY",
    b"PURGE",
    b"X",
    b"get",
    b"Get",
    b"FOO",
    b"A" * 30,
    b"!#$%&'*+-.^_`|~09Az",
]
BAD = bytes([*b'(),/:;<=>?@[]{}"\\', 0, 1, 0x0B, 0x0C, 0x7F, 0x80, 0xFF])
CASES = [
    accept(
        name.decode().lower(),
        get(method=name),
        "9110 9",
        environ={"REQUEST_METHOD": name.decode()},
    )
    for name in KNOWN
]
CASES += [
    either(
        "other-" + name.decode(),
        get(method=name),
        "9110 9.1",
        environ={"REQUEST_METHOD": name.decode()},
        statuses=(400, 405, 501),
    )
    for name in OTHERS
]
CASES += [
    reject(
        "byte-%02x" % code,
        get(method=b"G%cT" % code),
        "9110 9.1",
        statuses=(400, 501),
    )
    for code in BAD
]
CASES += [
    reject("none", b" / HTTP/1.1\r\nHost: a\r\n\r\n", "9112 3"),
    reject(
        "utf-8", get(method="GÉT".encode()), "9110 9.1", statuses=(400, 501)
    ),
    reject(
        "nul-suffix", get(method=b"GET\0"), "9110 9.1", statuses=(400, 501)
    ),
    reject("colon", get(method=b"GET:"), "9110 9.1", statuses=(400, 501)),
    accept("head", get(method=b"HEAD"), "9110 9.3.2"),
    accept(
        "head-pipelined",
        get(method=b"HEAD") + get(method=b"HEAD") + get(),
        "9110 9.3.2",
        served=3,
    ),
    accept(
        "head-body",
        post(b"Content-Length: 5\r\n", b"hello", method=b"HEAD"),
        "9110 9.3.2",
    ),
    accept(
        "get-body",
        post(b"Content-Length: 5\r\n", b"hello", method=b"GET"),
        "9110 9.3.1",
        body=b"hello",
    ),
    accept(
        "delete-body",
        post(b"Content-Length: 5\r\n", b"hello", method=b"DELETE"),
        "9110 9.3.5",
        body=b"hello",
    ),
    accept("post-no-length", get(method=b"POST"), "9112 6.3", body=b""),
]
