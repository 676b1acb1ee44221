"""Functions that are called later, in a thread that is there already.

A signal handler can start none: where it has interrupted the start of another
thread, it would wait for a lock that its own thread has.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable

from wsgibench.native.unpatched import Thread, original


class Timer:
    def __init__(self, name: str) -> None:
        self._due: list[tuple[float, Callable[[], None]]] = []
        self._is_over = False
        self._pid = os.getpid()
        self._changed = original("_thread", "allocate_lock")()
        self._changed.acquire()
        self._thread = Thread(self._run, name)

    def after(self, seconds: float, function: Callable[[], None]) -> None:
        """Any thread may call it, and any signal handler."""
        self._due.append((time.monotonic() + seconds, function))
        self._wake()

    def end(self) -> None:
        """Afterwards nothing is called any more."""
        self._is_over = True
        self._wake()
        if self._pid == os.getpid():  # a forked child has no such thread
            self._thread.join()

    def _wake(self) -> None:
        with contextlib.suppress(RuntimeError):  # it is awake
            self._changed.release()

    def _run(self) -> None:
        while not self._is_over:
            for each in list(self._due):
                if each[0] <= time.monotonic() and not self._is_over:
                    self._due.remove(each)
                    each[1]()
            now = time.monotonic()
            left = [max(0.0, at - now) for at, _ in list(self._due)]
            self._changed.acquire(True, min(left, default=-1))
