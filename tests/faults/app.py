"""What the servers under fault serve."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs

BLOCK = b"x" * 65536


class Stream:
    """`size` bytes in blocks; counts how often close() is called."""

    closed = 0
    produced = 0  # bytes, of the stream that was last asked for

    def __init__(self, size: int) -> None:
        self.left = size
        Stream.produced = 0

    def __iter__(self) -> Iterator[bytes]:
        while self.left > 0:
            block = BLOCK[: self.left]
            self.left -= len(block)
            Stream.produced += len(block)
            yield block

    def close(self) -> None:
        Stream.closed += 1


def application(environ: dict[str, Any], start_response: Any) -> Any:
    path = environ["PATH_INFO"]
    query = parse_qs(environ["QUERY_STRING"])

    def number(name: str, default: float = 0) -> float:
        return float(query.get(name, [default])[0])

    body = b"Hello"
    if path == "/stream":
        start_response("200 OK", [("Content-Type", "text/plain")])
        return Stream(int(number("size")))
    if path == "/sleep":
        time.sleep(number("seconds"))
    elif path == "/wait":
        # As long as that file exists: the test decides when it is over.
        while os.path.exists(query["file"][0]):
            time.sleep(0.02)
    elif path == "/hang":
        time.sleep(3600)
    elif path == "/pid":
        body = b"%d" % os.getpid()
    elif path == "/who":
        body = b"%d %s" % (os.getpid(), environ["QUERY_STRING"].encode())
    elif path == "/echo":
        body = environ["wsgi.input"].read()
    elif path == "/raise":
        raise ValueError("from the application")
    elif path == "/produced":
        body = b"%d" % Stream.produced
    elif path == "/closed":
        body = b"%d" % Stream.closed
    fields = [("Content-Type", "text/plain")]
    start_response("200 OK", [*fields, ("Content-Length", str(len(body)))])
    return [body]
