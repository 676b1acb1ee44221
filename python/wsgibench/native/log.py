"""The error log: the ``logging`` logger "wsgibench".

What the server says, what the application writes to ``wsgi.errors``, and its
exceptions with the request they belong to. A log that cannot be written must
neither stop nor end a server: lines are lost then, counted, and their number
is written as soon as something can be.
"""

from __future__ import annotations

import contextlib
import io
import json
import logging
import logging.config
import os
import select
import sys
import time
from typing import Any

from wsgibench.errors import UsageError, WsgibenchError
from wsgibench.native.access_log import open_file, own_copy
from wsgibench.native.unpatched import original

logger = logging.getLogger("wsgibench")

LEVELS = ("debug", "info", "warning", "error", "critical")
#: As gunicorn's, so that what reads its log reads ours.
FORMAT = "%(asctime)s [%(process)d] [%(levelname)s] %(message)s"
DATE = "[%Y-%m-%d %H:%M:%S %z]"
#: A pipe that has room at all takes so many bytes at once (PIPE_BUF).
PIECE = 4096
#: Seconds a reader may hold up one line; after that, none until it reads.
PATIENCE = 0.25


class FileHandler(logging.Handler):
    """Writes to standard error, or a file, and never waits long."""

    def __init__(self, path: str = "-") -> None:
        super().__init__()
        self.path = path
        self.lost = 0
        self._stuck = False
        self._captures = False
        try:
            self._fd = own_copy(2) if path == "-" else open_file(path)
        except OSError as error:
            raise WsgibenchError(
                "cannot write the error log %s: %s." % (path, error.strerror)
            ) from error

    @property
    def fd(self) -> int:
        """Stays the same when the file is opened again."""
        return self._fd

    def emit(self, record: logging.LogRecord) -> None:
        try:
            text = self.format(record) + "\n"
            if self.lost:
                note = "%d lines of this log were lost\n" % self.lost
                text = note + text
            if self._write(text.encode(errors="backslashreplace")):
                self.lost = 0
            else:
                self.lost += 1
        except Exception:
            self.lost += 1

    def _write(self, data: bytes) -> bool:
        """Whether it was written, or at least its beginning."""
        until = time.monotonic() + (0 if self._stuck else PATIENCE)
        poller = original("select", "poll")()
        poller.register(self._fd, select.POLLOUT)
        done = 0
        while done < len(data):
            left = max(0.0, until - time.monotonic())
            self._stuck = not poller.poll(left * 1000)
            if self._stuck:
                return done > 0
            done += os.write(self._fd, data[done : done + PIECE])
        return True

    def reopen(self) -> None:
        """After a rotation; a file that cannot be opened leaves the old."""
        if self.path == "-":
            return
        with contextlib.suppress(OSError):
            new = open_file(self.path)
            os.dup2(new, self._fd, inheritable=False)
            os.close(new)
            if self._captures:
                self.capture()

    def capture(self) -> None:
        """Standard output and error go to this file from now on, also of
        what this process starts."""
        self._captures = True
        for stream, fd in ((sys.stdout, 1), (sys.stderr, 2)):
            if isinstance(stream, io.TextIOWrapper):
                stream.flush()
                stream.reconfigure(line_buffering=True)
            os.dup2(self._fd, fd)


def configure(
    level: str = "info", path: str = "-", config: str | None = None
) -> None:
    """Where the log goes. ``config``: a file for ``logging.config``, in its
    own format or as JSON, that decides it all."""
    if level not in LEVELS:
        raise UsageError(
            "log_level is one of %s, not %r." % (", ".join(LEVELS), level)
        )
    if config is not None:
        _configure_by_file(config)
        return
    handler = FileHandler(path)
    handler.setFormatter(logging.Formatter(FORMAT, DATE))
    for old in logger.handlers[:]:
        logger.removeHandler(old)
    logger.addHandler(handler)
    logger.setLevel(level.upper())
    logger.propagate = False


def _configure_by_file(config: str) -> None:
    try:
        with open(config) as file:
            text = file.read()
        if config.endswith(".json"):
            logging.config.dictConfig(json.loads(text))
        else:
            logging.config.fileConfig(config, disable_existing_loggers=False)
    except OSError as error:
        raise UsageError(
            "cannot read log_config %s: %s." % (config, error.strerror)
        ) from error
    except Exception as error:  # logging raises whatever its parts raise
        raise UsageError(
            "log_config %s cannot be used: %s: %s."
            % (config, type(error).__name__, error)
        ) from error


def configure_by_default() -> None:
    """For who calls serve() and has said nothing of logging."""
    if not logger.hasHandlers():
        configure()


def reopen() -> None:
    for handler in logger.handlers:
        if isinstance(handler, FileHandler):
            handler.reopen()


def capture() -> None:
    for handler in logger.handlers:
        if isinstance(handler, FileHandler):
            handler.capture()


def paths() -> list[str]:
    return [
        handler.path
        for handler in logger.handlers
        if isinstance(handler, FileHandler) and handler.path != "-"
    ]


def descriptor() -> int | None:
    """Of the file, for what the core has to say; None: there is none."""
    for handler in logger.handlers:
        if isinstance(handler, FileHandler):
            return handler.fd
    return None


class ErrorStream:
    """``wsgi.errors``: text becomes records, line by line."""

    def __init__(self) -> None:
        self._rest = ""

    def write(self, text: str) -> int:
        lines = (self._rest + text).split("\n")
        # A thread may come between: a line is then in two, not lost.
        self._rest = lines.pop()
        for line in lines:
            logger.error("%s", line)
        return len(text)

    def writelines(self, lines: Any) -> None:
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        rest, self._rest = self._rest, ""
        if rest:
            logger.error("%s", rest)

    def log_exception(self, request: str, error: BaseException) -> None:
        """Called by the bindings: an application failed. ``request`` is like
        "GET /path" as it was sent."""
        logger.error(
            "%s failed: %s",
            request,
            type(error).__name__,
            exc_info=(type(error), error, error.__traceback__),
        )
