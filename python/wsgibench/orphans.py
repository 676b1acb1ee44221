"""No process of ours outlives the one that started it, however that ended:
a server that goes on alone holds its port, and disturbs what is measured
next. Linux only; elsewhere nothing happens."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import threading
from collections.abc import Callable

PR_SET_PDEATHSIG = 1


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
