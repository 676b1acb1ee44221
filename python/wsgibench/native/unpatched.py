"""Threads of the system, whatever gevent or eventlet made of the standard
library. Their ``monkey.patch_all()`` turns threads into greenlets, which do
not run while this thread waits in the C server."""

from __future__ import annotations

import importlib
import sys
import threading
from collections.abc import Callable
from typing import Any

from wsgibench.errors import UsageError, WsgibenchError


def original(module: str, name: str) -> Any:
    """``module.name`` as it was before it was patched."""
    monkey = sys.modules.get("gevent.monkey")
    if monkey is not None:
        return monkey.get_original(module, name)
    patcher = sys.modules.get("eventlet.patcher")
    if patcher is not None and patched_by() is not None:
        return getattr(patcher.original(module), name)
    return getattr(importlib.import_module(module), name)


def patched_by() -> str | None:
    """What has replaced threads in this process, or None."""
    monkey = sys.modules.get("gevent.monkey")
    if monkey is not None and monkey.is_module_patched("threading"):
        return "gevent"
    patcher = sys.modules.get("eventlet.patcher")
    if patcher is not None and patcher.is_monkey_patched("thread"):
        return "eventlet"
    return None


def check_threads(threads: int, loops: int = 1) -> None:
    """Greenlets of several threads wait for each other's locks, and block
    the threads: gevent's first import in each does."""
    library = patched_by()
    if (threads or loops > 1) and library is not None:
        what = "threads=%d" % threads if threads else "loops=%d" % loops
        raise UsageError(
            "%s cannot be: the application has made greenlets of "
            "threads (%s); use threads=0 with more workers, or gunicorn's "
            "%s worker." % (what, library, library)
        )


class Thread:
    """A daemon thread of the system. WsgibenchError if there can be none."""

    def __init__(self, target: Callable[[], None], name: str) -> None:
        self._target = target
        self._over = original("_thread", "allocate_lock")()
        self._over.acquire()
        try:
            self._start(name)
        except RuntimeError as error:  # a limit of this user or its memory
            raise WsgibenchError(
                "cannot start a thread (%s): %s." % (name, error)
            ) from error

    def _start(self, name: str) -> None:
        if patched_by() is None:
            threading.Thread(target=self._run, name=name, daemon=True).start()
        else:
            original("_thread", "start_new_thread")(self._run, ())

    def _run(self) -> None:
        try:
            self._target()
        finally:
            self._over.release()

    def join(self, timeout: float = -1) -> bool:
        """Whether it has ended; waits so many seconds for it, or for ever."""
        ended: bool = self._over.acquire(True, timeout)
        if ended:
            self._over.release()
        return ended


class Alarm:
    """Something to wait for, as ``threading.Event``, between such threads."""

    def __init__(self) -> None:
        self._lock = original("_thread", "allocate_lock")()
        self._lock.acquire()

    def set(self) -> None:
        if self._lock.locked():
            self._lock.release()

    def wait(self, timeout: float = -1) -> bool:
        """Whether it is set; waits so many seconds for it, or for ever."""
        is_set: bool = self._lock.acquire(True, timeout)
        if is_set:
            self._lock.release()
        return is_set
