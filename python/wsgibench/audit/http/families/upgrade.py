"""Upgrade may be ignored: RFC 9110 7.8. Body and next request stay framed."""

from wsgibench.audit.http.case import accept, chunked, get, post, reject

RULE = "9110 7.8"
WEBSOCKET = (
    b"Connection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)
H2C = (
    b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
    b"HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n"
)
CASES = [
    accept(
        "websocket",
        get(WEBSOCKET),
        RULE,
        environ={"HTTP_UPGRADE": "websocket"},
    ),
    accept("h2c", get(H2C), RULE),
    accept("no-connection", get(b"Upgrade: websocket\r\n"), RULE),
    accept("connection-only", get(b"Connection: upgrade\r\n"), RULE),
    accept(
        "keep-alive",
        get(b"Connection: keep-alive, Upgrade\r\nUpgrade: x\r\n"),
        RULE,
    ),
    accept(
        "post",
        post(H2C + b"Content-Length: 5\r\n", b"hello"),
        RULE,
        body=b"hello",
    ),
    accept(
        "chunked",
        chunked(
            b"5\r\nhello\r\n0\r\n\r\n", H2C + b"Transfer-Encoding: chunked\r\n"
        ),
        RULE,
        body=b"hello",
    ),
    accept("two", get(WEBSOCKET) + get(H2C), RULE, served=2),
    accept("1.0", get(WEBSOCKET, version=b"HTTP/1.0"), RULE, persists=False),
    accept("head", get(WEBSOCKET, method=b"HEAD"), RULE),
    accept(
        "unknown",
        get(b"Connection: upgrade\r\nUpgrade: TLS/1.0, x/2\r\n"),
        RULE,
    ),
    reject(
        "junk-after", get(WEBSOCKET) + b"\x81\x05hello", "9112 3", served=1
    ),
]
