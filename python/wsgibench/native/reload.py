"""``--reload``: new workers when a source file changes. For development.

A thread of each worker watches the files of the modules it imported. A worker
whose application cannot be imported waits for a change: in what was imported,
in what the error names, and in the Python files of the directory.
"""

from __future__ import annotations

import os
import sys
import time
import traceback
from collections.abc import Callable, Iterable

from wsgibench.native.unpatched import Thread, original

INTERVAL = 0.3
#: ns by which a file may seem older than it is: the kernel takes its time
#: from the last tick. A start too many does no harm, one too few does.
TICK = 20_000_000
#: Folders whose files are not edited, or are too many.
SKIP = {"node_modules", "site-packages", "__pycache__"}


def files() -> set[str]:
    """The source files of what has been imported."""
    found = set()
    for module in list(sys.modules.values()):
        name = getattr(module, "__file__", None)
        if isinstance(name, str) and name.endswith(".py"):
            found.add(name)
    return found


def files_of(error: BaseException | None) -> set[str]:
    """Those an error comes from: a module that failed is not imported."""
    found: set[str] = set()
    while error is not None:
        for frame in traceback.extract_tb(error.__traceback__):
            found.add(frame.filename)
        if isinstance(error, SyntaxError) and error.filename:
            found.add(error.filename)
        error = error.__cause__ or error.__context__
    return found


def files_in(directory: str) -> set[str]:
    found: set[str] = set()
    for folder, folders, names in os.walk(directory):
        folders[:] = [
            name
            for name in folders
            if name not in SKIP
            and not name.startswith(".")
            and not os.path.exists(os.path.join(folder, name, "pyvenv.cfg"))
        ]
        found.update(
            os.path.join(folder, name)
            for name in names
            if name.endswith(".py")
        )
    return found


def _changed_at(name: str) -> int:
    try:
        return os.stat(name).st_mtime_ns
    except OSError:
        return 0  # being replaced by an editor, or gone


def wait_for_change(look: Callable[[], Iterable[str]], since: int) -> str:
    """Sleeps until one of the files changes, and names it. A change since
    that time (ns) counts, unless it lies in the future."""
    known: dict[str, int] = {}
    since -= TICK
    sleep = original("time", "sleep")
    while True:
        for name in look():
            changed = _changed_at(name)
            if name not in known and since < changed <= time.time_ns():
                return name
            if known.setdefault(name, changed) != changed and changed:
                return name
        sleep(INTERVAL)


def watch(
    on_change: Callable[[str], None], since: int, extra: list[str]
) -> None:
    """In a thread: tells of the first change of what was imported, or of the
    ``extra`` files."""

    def look() -> set[str]:
        return files().union(extra)

    Thread(lambda: on_change(wait_for_change(look, since)), "wsgibench-watch")


def wait_after(error: BaseException, since: int, extra: list[str]) -> str:
    """For a worker that could not import its application."""
    named = files_of(error)

    def look() -> set[str]:
        return files().union(named, extra, files_in(os.getcwd()))

    return wait_for_change(look, since)
