"""wsgi.input (PEP 3333, "Input and Error Streams").

Once the request is over every read returns b"". A body that breaks off
raises: it must never look complete.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Optional

from wsgibench.native._cffi import ffi, lib
from wsgibench.native.cffi_errors import raise_code

AHEAD = 65536


class Input:
    __slots__ = ("_ahead", "_finished", "_request")

    def __init__(self, request: Any = None) -> None:
        self._request = request
        self._ahead = b""  # read from the core, not by the application yet
        self._finished = request is None
        if request is not None and request.body_complete and request.body:
            size = request.content_length
            self._ahead = ffi.buffer(request.body, size)[:]
            self._finished = True

    def detach(self) -> None:
        self._request = None
        self._ahead = b""
        self._finished = True

    def _pull(self) -> bytes:
        """Some octets; b"" at the end."""
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

    def read(self, size: Optional[int] = -1) -> bytes:
        limit = -1 if size is None or size < 0 else size
        parts = [self._ahead]
        held = len(self._ahead)
        while not self._finished and (limit < 0 or held < limit):
            parts.append(self._pull())
            held += len(parts[-1])
        data = b"".join(parts)
        if limit < 0:
            self._ahead = b""
            return data
        self._ahead = data[limit:]
        return data[:limit]

    def readline(self, size: Optional[int] = -1) -> bytes:
        limit = -1 if size is None or size < 0 else size
        searched = 0
        while True:
            data = self._ahead
            end = data.find(b"\n", searched) + 1
            if limit >= 0 and (end == 0 or end > limit):
                end = limit if len(data) >= limit else 0
                if limit == 0:
                    return b""
            if end:
                break
            searched = len(data)
            more = self._pull()
            if not more:
                end = len(data)
                break
            self._ahead = data + more
        line, self._ahead = data[:end], data[end:]
        return line

    def readlines(self, hint: Optional[int] = -1) -> list[bytes]:
        lines = []
        total = 0
        for line in self:
            lines.append(line)
            total += len(line)
            if hint is not None and 0 < hint <= total:
                break
        return lines

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        line = self.readline()
        if not line:
            raise StopIteration
        return line
