"""What a worker tells its supervisor, through a pipe that all share: one
write of less than PIPE_BUF bytes each, which the kernel keeps whole."""

from __future__ import annotations

import contextlib
import os
import struct
from collections.abc import Iterator
from typing import NamedTuple

READY, REPLACE, CHANGED, USAGE, ERROR = range(1, 6)

_HEAD = struct.Struct("=iBH")  # the pid, the kind, bytes of text
MAX_TEXT = 2048


class Report(NamedTuple):
    pid: int
    kind: int
    text: str


def send(fd: int, kind: int, text: str = "") -> None:
    data = text.encode(errors="replace")[:MAX_TEXT]
    with contextlib.suppress(OSError):  # the supervisor is gone
        os.write(fd, _HEAD.pack(os.getpid(), kind, len(data)) + data)


def _read(fd: int, size: int) -> bytes:
    try:
        return os.read(fd, size)
    except BlockingIOError:
        return b""


def receive(fd: int) -> Iterator[Report]:
    """Those that are in the pipe; `fd` does not block."""
    while True:
        head = _read(fd, _HEAD.size)
        if len(head) < _HEAD.size:
            return
        pid, kind, size = _HEAD.unpack(head)
        text = _read(fd, size) if size else b""
        yield Report(pid, kind, text.decode(errors="replace"))
