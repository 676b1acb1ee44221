"""wsgi.file_wrapper (PEP 3333, "Optional Platform-Specific File Handling")."""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Iterator
from typing import Any

BUFFERED = (io.BufferedReader, io.BufferedRandom)


class FileWrapper:
    def __init__(self, filelike: Any, blksize: int = 65536) -> None:
        self._file = filelike
        self._block_size = blksize if blksize > 0 else 65536

    @property
    def filelike(self) -> Any:
        return self._file

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        block: bytes = self._file.read(self._block_size)
        if not block:
            raise StopIteration
        return block

    def close(self) -> None:
        close = getattr(self._file, "close", None)
        if close is not None:
            close()


def _size(fd: int, offset: int) -> int:
    """How many bytes lie behind the offset, where the kernel's word on that
    can be believed; otherwise 0. Files of /proc say 0, those of /sys a page,
    whatever is in them."""
    status = os.fstat(fd)
    if not stat.S_ISREG(status.st_mode) or status.st_size <= offset:
        return 0
    if not status.st_blocks and not os.pread(fd, 1, status.st_size - 1):
        return 0
    return status.st_size - offset


def file_behind(wrapper: FileWrapper) -> tuple[int, int, int] | None:
    """(descriptor, offset, bytes left) if sendfile(2) can send it."""
    file = wrapper.filelike
    try:
        # Only what reads the descriptor's own bytes: a GzipFile has a
        # fileno() too, of the compressed file, and so has a reader of one.
        raw = file.raw if type(file) in BUFFERED else file
        if type(raw) is not io.FileIO or not file.readable():
            return None
        if type(file) is io.BufferedRandom:
            file.flush()  # what was written to it, too
        fd = file.fileno()
        offset = file.tell()
        size = _size(fd, offset)
    except (OSError, ValueError):
        return None
    return (fd, offset, size) if size else None
