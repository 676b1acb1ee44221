"""wsgi.input (PEP 3333, "Input and Error Streams").

Once the request is over every read returns b"". A body that breaks off
raises: it must never look complete.
"""

from __future__ import annotations

from collections.abc import Iterator
from operator import index
from typing import Any

from wsgibench.native._cffi import ffi, lib
from wsgibench.native.cffi_errors import raise_code

AHEAD = 65536


class Input:
    __slots__ = ("_ahead", "_at", "_finished", "_request")

    def __init__(self, request: Any = None) -> None:
        self._request = request
        self._ahead = b""  # read from the core; from _at on it is not taken
        self._at = 0
        self._finished = request is None
        if request is not None and request.body_complete and request.body:
            size = request.content_length
            self._ahead = ffi.buffer(request.body, size)[:]
            self._finished = True

    def detach(self) -> None:
        self._request = None
        self._ahead = b""
        self._at = 0
        self._finished = True

    def _pull(self) -> bytes:
        """Some bytes; b"" at the end."""
        if self._finished:
            return b""
        room = ffi.new("char[]", AHEAD)
        while True:
            n: int = lib.wb_request_read(self._request, room, AHEAD)
            if n == lib.WB_AGAIN:
                error = lib.wb_request_wait(self._request, 1, 200)
                if error in (0, lib.WB_AGAIN):
                    continue
                n = error
            if n < 0:
                raise_code(n)
            self._finished = n == 0
            data: bytes = ffi.buffer(room, n)[:]
            return data

    def _take(self, end: int) -> bytes:
        """What is ahead, up to `end`."""
        data = self._ahead[self._at : end]
        self._at = min(end, len(self._ahead))
        return data

    def read(self, size: int | None = -1) -> bytes:
        limit = -1 if size is None else index(size)
        if limit >= 0 and self._at + limit <= len(self._ahead):
            return self._take(self._at + limit)
        parts = [self._ahead[self._at :]]
        held = len(parts[0])
        while not self._finished and (limit < 0 or held < limit):
            parts.append(self._pull())
            held += len(parts[-1])
        self._ahead = b"".join(parts)
        self._at = 0
        return self._take(held if limit < 0 else limit)

    def readline(self, size: int | None = -1) -> bytes:
        limit = -1 if size is None else index(size)
        searched = self._at
        while True:
            end = self._ahead.find(b"\n", searched) + 1
            held = len(self._ahead)
            if 0 <= limit <= (end or held) - self._at:
                return self._take(self._at + limit)
            if end:
                return self._take(end)
            searched = held - self._at
            more = self._pull()
            if not more:
                return self._take(held)
            self._ahead = self._ahead[self._at :] + more
            self._at = 0

    def readlines(self, hint: int | None = -1) -> list[bytes]:
        enough = 0 if hint is None else index(hint)
        lines = []
        total = 0
        for line in self:
            lines.append(line)
            total += len(line)
            if 0 < enough <= total:
                break
        return lines

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        line = self.readline()
        if not line:
            raise StopIteration
        return line
