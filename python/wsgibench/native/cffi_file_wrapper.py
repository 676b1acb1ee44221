"""wsgi.file_wrapper (PEP 3333, "Optional Platform-Specific File Handling")."""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Iterator
from typing import Any

#: Only these read the descriptor's own bytes; a GzipFile has a fileno() too,
#: of the compressed file.
REAL_FILES = (io.FileIO, io.BufferedReader, io.BufferedRandom)


class FileWrapper:
    def __init__(self, filelike: Any, blksize: int = 65536) -> None:
        self.filelike = filelike
        self.blksize = blksize if blksize > 0 else 65536

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        block: bytes = self.filelike.read(self.blksize)
        if not block:
            raise StopIteration
        return block

    def close(self) -> None:
        close = getattr(self.filelike, "close", None)
        if close is not None:
            close()


def file_behind(wrapper: FileWrapper) -> tuple[int, int, int] | None:
    """(descriptor, offset, bytes left) if sendfile(2) can send it."""
    if type(wrapper.filelike) not in REAL_FILES:
        return None
    try:
        fd = wrapper.filelike.fileno()
        offset = wrapper.filelike.tell()
        status = os.fstat(fd)
    except (OSError, ValueError):
        return None
    if not stat.S_ISREG(status.st_mode):
        return None
    return fd, offset, max(0, status.st_size - offset)
