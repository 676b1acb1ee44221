"""Where results go: files, or standard output for ``-``.

A file that cannot be written is told of before anything is measured. A result
that was measured is written before anything is printed.
"""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path

from wsgibench.errors import UsageError, WsgibenchError

STDOUT = "-"


def check(*paths: Path | str | None) -> None:
    """UsageError for what will not be writable."""
    for path in map(str, filter(None, paths)):
        if path == STDOUT:
            continue
        reason = _why_not(path)
        if reason:
            raise UsageError("cannot write %s: %s." % (path, reason))


def _why_not(path: str) -> str:
    """ "" if it can be written. Only who makes a file knows that: of a name
    that is too long, of /proc and of a file system that is read-only access()
    says nothing to root."""
    # Through a symbolic link the file that it names is written.
    place = os.path.realpath(path) if os.path.islink(path) else path
    folder = os.path.dirname(place) or "."
    try:
        if os.path.isdir(place):
            return "it is a folder"
        if not os.path.isdir(folder):
            return "there is no folder %s" % folder
        with contextlib.suppress(FileNotFoundError):
            os.stat(place)
            return "" if os.access(place, os.W_OK) else "no permission"
        os.close(os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL))
        os.unlink(place)
    except (OSError, ValueError) as error:  # a null byte
        return getattr(error, "strerror", None) or str(error)
    return ""


def write(path: Path | str, text: str) -> None:
    """WsgibenchError for what cannot be written after all, as with standard
    output: it is not the request that is wrong."""
    try:
        if str(path) == STDOUT:
            sys.stdout.write(text)
            sys.stdout.flush()
            return
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise WsgibenchError(
            "cannot write %s: %s." % (path, error.strerror)
        ) from error
