"""``serve --reload``: start again when a source file changes. For development.

The parent holds the listening socket, so that no client is refused, and runs
the same command again each time the child ends with CHANGED. The child knows
which modules it imported, and watches their files.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from types import FrameType

from wsgibench.native import sockets

#: The child's exit code when a file has changed.
CHANGED = 3
#: Set in the child: the descriptor of the listening socket.
VARIABLE = "WSGIBENCH_RELOAD_FD"
INTERVAL = 0.3
_BEGAN = time.time_ns()


def files() -> set[str]:
    """The source files of what has been imported."""
    found = set()
    for module in list(sys.modules.values()):
        name = getattr(module, "__file__", None)
        if isinstance(name, str) and name.endswith(".py"):
            found.add(name)
    return found


def _changed_at(name: str) -> int:
    try:
        return os.stat(name).st_mtime_ns
    except OSError:
        return 0  # being replaced by an editor, or gone


def wait_for_change(more: Sequence[str] = ()) -> str:
    """Sleeps until one of the files changes, and names it. A change since
    this process began counts, unless its time is in the future."""
    known: dict[str, int] = {}
    while True:
        for name in files().union(more):
            changed = _changed_at(name)
            if name not in known and _BEGAN < changed <= time.time_ns():
                return name
            if known.setdefault(name, changed) != changed and changed:
                return name
        time.sleep(INTERVAL)


class Watcher:
    """In the child: a thread that ends the server when a file changes."""

    def __init__(self) -> None:
        self.changed = False

    def start(self) -> None:
        thread = threading.Thread(target=self._watch, daemon=True)
        thread.start()

    def _watch(self) -> None:
        name = wait_for_change()
        print("wsgibench: %s changed; starting again" % name, file=sys.stderr)
        self.changed = True
        os.kill(os.getpid(), signal.SIGTERM)


def inherited_bind() -> str | None:
    """In the child: the address to serve on."""
    fd = os.environ.get(VARIABLE)
    return None if fd is None else "fd://" + fd


def run_again_and_again(
    argv: Sequence[str], host: str, port: int, bind: str | None
) -> int:
    """In the parent: the exit code of the last child."""
    listener = sockets.open_listener(host, port, bind)
    listener.listen(2048)
    child: subprocess.Popen[bytes] | None = None

    def pass_on(number: int, frame: FrameType | None) -> None:
        if number == signal.SIGINT and sys.stdin and sys.stdin.isatty():
            return  # Ctrl-C reaches the child as well
        if child is not None:
            with contextlib.suppress(ProcessLookupError):
                child.send_signal(signal.SIGTERM)

    old = {
        number: signal.signal(number, pass_on)
        for number in (signal.SIGTERM, signal.SIGINT)
    }
    fd = listener.fileno()
    try:
        while True:
            child = subprocess.Popen(
                [sys.executable, "-m", "wsgibench", *argv],
                env=dict(os.environ, **{VARIABLE: str(fd)}),
                pass_fds=[fd],
            )
            code = child.wait()
            if code != CHANGED:
                return code
    finally:
        for number, handler in old.items():
            signal.signal(number, handler)
        if bind is not None and bind.startswith("unix:"):
            sockets.remove_path(listener)
        listener.close()
