"""wsgi.input (PEP 3333, "Input and Error Streams").

Once the answer is out every read raises. A body that breaks off raises, too:
it must never look complete. Threads may read in turns; one that waits for the
client holds the others up, not the server.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from operator import index
from typing import Any

from wsgibench.native._cffi import ffi, lib
from wsgibench.native.cffi_errors import raise_code
from wsgibench.native.unpatched import original

AHEAD = 65536
new_lock = original("_thread", "RLock")
OVER = "wsgi.input was read after the response was over"


def limit_of(size: Any) -> int:
    """None and negative numbers mean "no limit" to file objects."""
    limit = -1 if size is None else index(size)
    if limit > sys.maxsize:
        raise OverflowError("a size beyond what can be read")
    return limit


class Input:
    __slots__ = ("_ahead", "_at", "_call", "_finished", "_lock", "_over")

    def __init__(self, call: Any = None) -> None:
        """call: None for the empty one that requests without a body share."""
        self._call = call
        self._ahead = b""  # read from the core; from _at on it is not taken
        self._at = 0
        self._finished = call is None  # no more comes
        self._over = False
        self._lock: Any = None  # of the thread that reads
        if call is not None:
            request = call.request
            if request.body_complete and request.body:
                size = request.content_length
                self._ahead = ffi.buffer(request.body, size)[:]
                self._finished = True
            else:
                call.hold_until_the_end()
                self._lock = new_lock()

    def detach(self) -> None:
        self._over = True
        self._call = None
        self._ahead = b""
        self._at = 0

    def _pull(self) -> bytes:
        """Some bytes; b"" at the end."""
        room = None
        while True:
            call = self._call
            if self._over or (call is None and not self._finished):
                raise RuntimeError(OVER)
            if self._finished:
                return b""
            if room is None:
                room = ffi.new("char[]", AHEAD)
            request = call.hold(OVER)
            try:
                n: int = lib.wb_request_read(request, room, AHEAD)
                if n == lib.WB_AGAIN:
                    n = lib.wb_request_wait(request, 1, 200)
                    if n in (0, lib.WB_AGAIN, lib.WB_OVER):
                        continue
            finally:
                lib.wb_request_release(request)
            if n == lib.WB_OVER:
                continue
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

    # One reader at a time. A body that is all here needs no lock for that.

    def read(self, size: int | None = -1, /) -> bytes:
        limit = limit_of(size)
        if self._lock is None:
            return self._read(limit)
        with self._lock:
            return self._read(limit)

    def readline(self, size: int | None = -1, /) -> bytes:
        limit = limit_of(size)
        if self._lock is None:
            return self._readline(limit)
        with self._lock:
            return self._readline(limit)

    def readlines(self, hint: int | None = -1, /) -> list[bytes]:
        enough = limit_of(hint)
        if self._lock is None:
            return self._readlines(enough)
        with self._lock:
            return self._readlines(enough)

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        line = self.readline()
        if not line:
            raise StopIteration
        return line

    def _read(self, limit: int) -> bytes:
        if self._over:
            raise RuntimeError(OVER)
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

    def _readline(self, limit: int) -> bytes:
        if self._over:
            raise RuntimeError(OVER)
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

    def _readlines(self, enough: int) -> list[bytes]:
        lines: list[bytes] = []
        total = 0
        while True:
            line = self._readline(-1)
            if not line:
                return lines
            lines.append(line)
            total += len(line)
            if 0 < enough <= total:
                return lines
