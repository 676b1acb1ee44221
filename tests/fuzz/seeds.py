"""Where the fuzzers begin: every message of tests/http and of the public
corpus, in the form each target reads."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from tests.http import corpus
from wsgibench.audit.http import families

RESPONSES = (
    b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    b"HTTP/1.1 200 OK\r\nDate: Sat, 21 Nov 2026 05:00:00 GMT\r\n"
    b"Connection: close\r\nContent-Length: 5\r\n\r\nhello",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    b'2;a="b"\r\nhe\r\n3\r\nllo\r\n0\r\nTrailer: x\r\n\r\n',
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.0 200 OK\r\n\r\nhello",
    b"HTTP/1.1 204 No Content\r\n\r\n",
    b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n",
)
HEADS = (
    b"\x00200 OK\n",
    b"\x01200 OK\nContent-Type\x00text/plain\x00",
    b"\x02304 Not Modified\nContent-Length\x0012\x00Connection\x00close\x00",
    b"\x03404\nDate\x00now\x00Server\x00mine\x00Set-Cookie\x00a=b\x00",
    b"\x01500 No\nX\x00a\r\nInjected: b\x00",
)


def messages() -> list[bytes]:
    cases = families.all_cases() + corpus.cases()
    return sorted({case.data[:6000] for case in cases})


def connections() -> Iterator[bytes]:
    """Settings, the application's script and cuts stand before the bytes
    (csrc/fuzz/fuzz_connection.c)."""
    for number, message in enumerate(messages()):
        digest = hashlib.sha256(message).digest()
        yield b"\0\0\0" + message
        if number % 2:
            yield digest[:3] + message


def of(target: str) -> Iterable[bytes]:
    if target == "fuzz_connection":
        return connections()
    if target in ("fuzz_message", "fuzz_request"):
        return (b"\1" + message for message in messages())
    if target == "fuzz_response":
        return (
            b"\1" + first + second
            for first in RESPONSES
            for second in RESPONSES
        )
    return HEADS


def write(target: str, directory: Path) -> int:
    """How many there are."""
    directory.mkdir(parents=True, exist_ok=True)
    count = 0
    for seed in of(target):
        name = hashlib.sha256(seed).hexdigest()[:20]
        (directory / name).write_bytes(seed)
        count += 1
    return count
