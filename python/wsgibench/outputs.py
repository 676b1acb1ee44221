"""Where results go: files, or standard output for ``-``.

A file that cannot be written is told of before anything is measured. A result
that was measured is written before anything is printed.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from wsgibench.errors import UsageError

STDOUT = "-"


def check(*paths: Path | str | None) -> None:
    """UsageError for what will not be writable."""
    for path in map(str, filter(None, paths)):
        if path == STDOUT:
            continue
        folder = os.path.dirname(path) or "."
        if os.path.isdir(path):
            reason = "it is a folder"
        elif not os.path.isdir(folder):
            reason = "there is no folder %s" % folder
        elif not os.access(path if os.path.exists(path) else folder, os.W_OK):
            reason = "no permission"
        else:
            continue
        raise UsageError("cannot write %s: %s." % (path, reason))


def write(path: Path | str, text: str) -> None:
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
        raise UsageError(
            "cannot write %s: %s." % (path, error.strerror)
        ) from error
