"""No process of ours outlives the one that started it, however that ended:
a server that goes on alone holds its port, and disturbs what is measured
next. Linux only; elsewhere nothing happens."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator

PR_SET_PDEATHSIG = 1
#: What ends a run.
ENDS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextlib.contextmanager
def uninterrupted() -> Iterator[None]:
    """For starting a child and noting it, as one step. What a handler raises
    meanwhile would be lost in the hooks that Python runs around a fork, or the
    child would run without being known. It is raised at the end."""
    if threading.current_thread() is not threading.main_thread():
        yield  # handlers run in the main thread only
        return
    came: list[int] = []
    handlers = {}
    for number in ENDS:
        handler = signal.getsignal(number)
        if callable(handler):
            handlers[number] = handler
            signal.signal(number, lambda number, _: came.append(number))
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        for name in map(signal.Signals, came):
            handlers[name](name, None)


def end_with_parent(parent: int, number: int = signal.SIGTERM) -> None:
    """In a child: ask the kernel for this signal when ``parent`` is gone."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(number))
    if os.getppid() != parent:  # it has gone already
        os._exit(1)


def end_with_us(number: int = signal.SIGTERM) -> Callable[[], None]:
    """The same for a ``preexec_fn``. The kernel means the thread that
    started the child, and others may end while it is needed: only children
    of the main thread are told."""
    if threading.current_thread() is not threading.main_thread():
        return lambda: None
    us = os.getpid()
    return lambda: end_with_parent(us, number)


def kill(process: subprocess.Popen[bytes]) -> None:
    """A child that leads a session of its own, and its children."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


def end(
    process: subprocess.Popen[bytes],
    seconds: float,
    number: int = signal.SIGTERM,
) -> None:
    """Asks such a child to end by this signal and gives it so many seconds
    (0: it is not asked); then it and what it left behind are killed, whatever
    is raised meanwhile."""
    try:
        if process.poll() is None and seconds > 0:
            process.send_signal(number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(seconds)
    finally:
        kill(process)
    process.wait()
