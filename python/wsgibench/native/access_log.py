"""The file the core writes its access log to."""

from __future__ import annotations

import contextlib
import os

from wsgibench.errors import UsageError, WsgibenchError

#: name -> wb_config.log_format
FORMATS = {"common": 1, "combined": 2}
FLAGS = os.O_WRONLY | os.O_CREAT | os.O_APPEND


class AccessLog:
    """Owns the descriptor; ``-`` is standard output."""

    def __init__(self, path: str, log_format: str = "common") -> None:
        if log_format not in FORMATS:
            raise UsageError(
                "the log format is common or combined, not %r." % log_format
            )
        self.path = path
        self.format = FORMATS[log_format]
        try:
            self.fd = os.dup(1) if path == "-" else os.open(path, FLAGS, 0o644)
        except OSError as error:
            raise WsgibenchError(
                "cannot write the access log %s: %s." % (path, error.strerror)
            ) from error

    def settings(self) -> dict[str, int]:
        return {"log_fd": self.fd, "log_format": self.format}

    def reopen(self) -> None:
        """After a rotation: the same descriptor, the new file. One that
        cannot be opened leaves the old in use."""
        if self.path == "-" or self.fd < 0:
            return
        with contextlib.suppress(OSError):
            new = os.open(self.path, FLAGS, 0o644)
            os.dup2(new, self.fd, inheritable=False)
            os.close(new)

    def close(self) -> None:
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1
