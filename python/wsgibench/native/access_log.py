"""The file the core writes its access log to.

The core never waits for it. So that no other writer of a pipe can take the
room between the core's question and its write, a pipe is opened anew, in
non-blocking mode: a mode that is then ours and not everybody's.
"""

from __future__ import annotations

import contextlib
import os
import stat
from typing import Any

from wsgibench.errors import WsgibenchError
from wsgibench.native import log_format as formats

FLAGS = os.O_WRONLY | os.O_CREAT | os.O_APPEND


def open_file(path: str) -> int:
    """A pipe with a name is opened for reading, too: then it is there without
    a reader, and one that comes back finds it."""
    with contextlib.suppress(OSError):
        if stat.S_ISFIFO(os.stat(path).st_mode):
            return os.open(path, os.O_RDWR | os.O_NONBLOCK)
    return os.open(path, FLAGS, 0o644)


def own_copy(fd: int) -> int:
    mode = os.fstat(fd).st_mode
    if stat.S_ISFIFO(mode) or stat.S_ISCHR(mode):
        with contextlib.suppress(OSError):  # another user's, or no /proc
            path = "/proc/self/fd/%d" % fd
            return os.open(path, os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY)
    return os.dup(fd)


class AccessLog:
    """Owns the descriptor; ``-`` is standard output. ``fd`` is one that is
    open already."""

    def __init__(
        self, path: str, log_format: str = "common", fd: int = -1
    ) -> None:
        self.path = path
        self.format = formats.check(log_format)
        self.fd = fd
        if fd >= 0:
            return
        try:
            self.fd = own_copy(1) if path == "-" else open_file(path)
        except OSError as error:
            raise WsgibenchError(
                "cannot write the access log %s: %s." % (path, error.strerror)
            ) from error

    def settings(self) -> dict[str, Any]:
        return {"log_fd": self.fd, "log_format": self.format}

    def reopen(self) -> None:
        """After a rotation: the same descriptor, the new file. One that
        cannot be opened leaves the old in use."""
        if self.path == "-" or self.fd < 0:
            return
        with contextlib.suppress(OSError):
            new = open_file(self.path)
            os.dup2(new, self.fd, inheritable=False)
            os.close(new)

    def close(self) -> None:
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1
