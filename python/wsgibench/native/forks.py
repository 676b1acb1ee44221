"""Children that the application forks.

Signal handlers belong to one process. A child - multiprocessing, os.fork() -
inherits the server's signal handlers and its wakeup descriptor. There is no
server in it that they could stop: SIGTERM would do nothing, and each signal of
the child would wake the parent. So the child gets back, as soon as it is
there, what was in force before. (A new program, subprocess, has no handlers
anyway.)
"""

from __future__ import annotations

import contextlib
import importlib
import os
import signal
import sys
import threading
from collections.abc import Mapping
from types import TracebackType
from typing import Any, NoReturn

#: Those in force, the last one first to go.
_installed: list[SignalHandlers] = []
#: The signals that a thread had blocked before it forked.
_mask = threading.local()


class SignalHandlers:
    """While inside, and in this process, signals have these handlers.

    Args:
        handlers: signal number -> handler.
        wakeup_fd: written to at each signal (``signal.set_wakeup_fd``); -1
            for none.
        in_child: signal number -> handler that a forked child gets instead
            of what was in force before; None for Python's default.

    Only the main thread can enter and leave it.
    """

    def __init__(
        self,
        handlers: Mapping[int, Any],
        wakeup_fd: int = -1,
        in_child: Mapping[int, Any] | None = None,
    ) -> None:
        self._handlers = handlers
        self._wakeup_fd = wakeup_fd
        self._in_child = in_child or {}
        self._before: dict[int, Any] = {}
        self._fd_before = -1

    def __enter__(self) -> SignalHandlers:
        self._fd_before = signal.set_wakeup_fd(
            self._wakeup_fd, warn_on_full_buffer=False
        )
        self._before = {
            number: signal.signal(number, handler)
            for number, handler in self._handlers.items()
        }
        _installed.append(self)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self in _installed:  # no fork has undone it
            _installed.remove(self)
            self._undo({})

    def numbers(self) -> set[int]:
        return {*self._handlers, *self._in_child}

    def _undo(self, instead: Mapping[int, Any]) -> None:
        for number, handler in {**self._before, **instead}.items():
            if handler is None:  # or was not set from Python
                handler = (
                    signal.default_int_handler
                    if number == signal.SIGINT
                    else signal.SIG_DFL
                )
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._fd_before)


# Around a fork those signals wait: one that reached the child before it has
# its own handlers would be lost, and would wake the parent.


def _before() -> None:
    numbers = {n for one in _installed for n in one.numbers()}
    _mask.old = signal.pthread_sigmask(signal.SIG_BLOCK, numbers)


def _in_parent() -> None:
    signal.pthread_sigmask(signal.SIG_SETMASK, _mask.old)


def _allowed() -> contextlib.AbstractContextManager[Any]:
    """PyPy does not take the thread that forked for the child's main one."""
    try:
        thread = importlib.import_module("__pypy__.thread")
    except ImportError:
        return contextlib.nullcontext()
    enabled: contextlib.AbstractContextManager[Any] = thread.signals_enabled
    return enabled


def _in_child() -> None:
    with _allowed():
        while _installed:
            handlers = _installed.pop()
            handlers._undo(handlers._in_child)
    _in_parent()


if sys.platform != "win32":
    os.register_at_fork(
        before=_before, after_in_parent=_in_parent, after_in_child=_in_child
    )


def end_child(error: BaseException) -> NoReturn:
    """A child that the application forked came back to what serves, in a
    thread or in a worker: it ends as a program does."""
    code = 1
    try:
        if isinstance(error, SystemExit):
            given = error.code
            code = given if isinstance(given, int) else int(given is not None)
            if given is not None and not isinstance(given, int):
                print(given, file=sys.stderr)
        else:
            sys.excepthook(type(error), error, error.__traceback__)
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(code & 0xFF)
