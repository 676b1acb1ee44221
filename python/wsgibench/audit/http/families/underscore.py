"""Names with "_" must not pass for names with "-": X_User is not X-User.
RFC 3875 4.1.18 maps both to one variable; refused or dropped, never merged."""

from wsgibench.audit.http.case import CHUNKED, chunked, either, get, post

RULE = "3875 4.1.18; security"
NAMES = {
    "user": (b"X_User", "HTTP_X_USER"),
    "forwarded": (b"X_Forwarded_For", "HTTP_X_FORWARDED_FOR"),
    "mixed": (b"X-Forwarded_Proto", "HTTP_X_FORWARDED_PROTO"),
    "http-prefix": (b"HTTP_HOST", "HTTP_HTTP_HOST"),
    "remote-user": (b"REMOTE_USER", "HTTP_REMOTE_USER"),
    "leading": (b"_X", "HTTP__X"),
    "trailing": (b"X_", "HTTP_X_"),
    "content-type": (b"Content_Type", "CONTENT_TYPE"),
    "only": (b"_", "HTTP__"),
}
CASES = [
    either(name, get(field + b": evil\r\n"), RULE, environ={key: (None, "")})
    for name, (field, key) in NAMES.items()
]
CASES += [
    either(
        "beside-before",
        get(b"X_A: evil\r\nX-A: good\r\n"),
        RULE,
        environ={"HTTP_X_A": "good"},
    ),
    either(
        "beside-after",
        get(b"X-A: good\r\nX_A: evil\r\n"),
        RULE,
        environ={"HTTP_X_A": "good"},
    ),
    either(
        "host",
        get(b"Host_: evil\r\n"),
        RULE,
        environ={"HTTP_HOST": "localhost"},
    ),
    either(
        "length",
        get(b"Content_Length: 5\r\n"),
        RULE,
        environ={"CONTENT_LENGTH": (None, "", "0")},
    ),
    either(
        "length-beside",
        post(b"Content-Length: 2\r\nContent_Length: 5\r\n", b"hi"),
        RULE,
        environ={"CONTENT_LENGTH": "2"},
        body=b"hi",
    ),
    either(
        "coding",
        get(b"Transfer_Encoding: chunked\r\n"),
        RULE,
        environ={"HTTP_TRANSFER_ENCODING": None},
    ),
    either(
        "coding-length",
        post(
            b"Transfer_Encoding: chunked\r\nContent-Length: 5\r\n",
            b"0\r\n\r\n",
        ),
        RULE,
        body=b"0\r\n\r\n",
    ),
    either(
        "coding-beside",
        chunked(
            b"2\r\nhi\r\n0\r\n\r\n", CHUNKED + b"Transfer_Encoding: x\r\n"
        ),
        RULE,
        body=b"hi",
    ),
]
