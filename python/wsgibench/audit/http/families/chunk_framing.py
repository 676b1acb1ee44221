"""What ends a chunk and a chunked body: RFC 9112 7.1, 2.2 (CRLF only)."""

from wsgibench.audit.http.case import CHUNKED, chunked, reject

RULE = "9112 7.1"
END = b"0\r\n\r\n"
BAD = {
    "data-lf": b"5\r\nhello\n" + END,
    "data-cr": b"5\r\nhello\r" + END,
    "data-cr-x": b"5\r\nhello\rX" + END,
    "data-xx": b"5\r\nhelloXX" + END,
    "data-nothing": b"5\r\nhello" + END,
    "data-longer": b"5\r\nhello!\r\n" + END,
    "data-shorter": b"5\r\nhell\r\n" + END,
    "data-space": b"5\r\nhello \r\n" + END,
    "data-crcrlf": b"5\r\nhello\r\r\n" + END,
    "size-lf": b"5\nhello\r\n" + END,
    "size-cr": b"5\rhello\r\n" + END,
    "size-cr-x": b"5\rXhello\r\n" + END,
    "size-crcr": b"5\r\rhello\r\n" + END,
    "size-crcrlf": b"5\r\r\nhello\r\n" + END,
    "size-lfcr": b"5\n\rhello\r\n" + END,
    "last-lf": b"5\r\nhello\r\n0\n\r\n",
    "last-cr-x": b"5\r\nhello\r\n0\rX\r\n",
    "last-lf-lf": b"5\r\nhello\r\n0\n\n",
    "final-lf": b"5\r\nhello\r\n0\r\n\n",
    "final-cr-x": b"5\r\nhello\r\n0\r\n\rX",
    "final-crcr": b"5\r\nhello\r\n0\r\n\r\r",
    "crlf-before": b"\r\n5\r\nhello\r\n" + END,
    "crlf-between": b"5\r\nhello\r\n\r\n" + END,
    "second-bad": b"5\r\nhello\r\nz\r\n" + END,
    "no-size": b"hello",
    "raw-length": b"hello\r\n\r\n",
}
CUT = {
    "nothing": b"",
    "in-size": b"5",
    "after-size": b"5\r\n",
    "in-data": b"5\r\nhel",
    "after-data": b"5\r\nhello\r\n",
    "in-last": b"5\r\nhello\r\n0",
    "after-last": b"5\r\nhello\r\n0\r\n",
    "in-final": b"5\r\nhello\r\n0\r\n\r",
    "in-trailer": b"5\r\nhello\r\n0\r\nX: y\r\n",
}
CASES = [reject(name, chunked(wire), RULE) for name, wire in BAD.items()]
CASES += [
    reject(
        "cut-" + name, chunked(wire), "9112 8 (incomplete)", half_close=True
    )
    for name, wire in CUT.items()
]
CASES += [
    reject(
        "hidden-in-size-line",
        chunked(
            b"5\r\r;ABCD\r\n34\r\nE\r\n0\r\n\r\n"
            b"GET /smuggled HTTP/1.1\r\nHost: a\r\n"
            b"Content-Length: 5\r\n\r\n" + END
        ),
        RULE,
    ),
    reject(
        "hidden-after-junk",
        chunked(b"INVALID!!!\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"),
        RULE,
    ),
    reject(
        "close-asked",
        chunked(BAD["data-lf"], CHUNKED + b"Connection: close\r\n"),
        RULE,
    ),
]
