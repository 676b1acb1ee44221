"""Reads a file, writes a temporary one to the disk, and answers with what is
in it."""

import os
import tempfile

BLOCK = 16384
_state = {}


def setup(services):
    """The file that is read: the numbers from 0 on, one a line."""
    fd, path = tempfile.mkstemp(prefix="wsgibench-")
    with os.fdopen(fd, "wb") as file:
        for number in range(10000):
            file.write(b"%07d\n" % number)
    # Open, it needs no name, and leaves nothing behind.
    _state["source"] = os.open(path, os.O_RDONLY)
    os.unlink(path)


def steps():
    offset = 0
    with tempfile.TemporaryFile() as copy:
        while True:
            block = _read(offset)
            if not block:
                break
            copy.write(block)
            offset += len(block)
            yield 0
        copy.flush()
        os.fsync(copy.fileno())
        copy.seek(0)
        yield copy.read()


def _read(offset):
    """A block at a place: threads and greenlets share the descriptor."""
    if hasattr(os, "pread"):
        return os.pread(_state["source"], BLOCK, offset)
    with os.fdopen(os.dup(_state["source"]), "rb") as file:  # Python 2.7
        file.seek(offset)
        return file.read(BLOCK)
