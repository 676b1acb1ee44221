"""Ctrl-C, and what ends a program as that does."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator


@contextlib.contextmanager
def as_by_ctrl_c() -> Iterator[None]:
    """``kill`` and a closed terminal end a run as Ctrl-C does: its servers
    and services end with it, what was measured is kept, and it can be
    resumed. Who ignores SIGHUP (nohup) goes on ignoring it."""

    def end(*_: object) -> None:
        raise KeyboardInterrupt

    numbers = [
        number
        for number in (signal.SIGTERM, signal.SIGHUP)
        if signal.getsignal(number) is signal.SIG_DFL
    ]
    for number in numbers:
        signal.signal(number, end)
    try:
        yield
    finally:
        for number in numbers:
            signal.signal(number, signal.SIG_DFL)
