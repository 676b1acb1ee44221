"""Signals: one table for the supervisor, its workers and a process that
serves alone.

    signal          supervisor, single process       worker
    TERM            finish what is under way;        the same, however often
                    the second ends at once
    INT             the same                         nothing (Ctrl-C reaches
                                                     the supervisor as well)
    QUIT            end at once                      end at once
    HUP             new workers, new code            nothing
    TTIN, TTOU      a worker more, one less          nothing
    USR1            log files are opened again       the same
    USR2, WINCH     nothing                          nothing

What does nothing must be handled all the same: its default would end or stop
the process.
"""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Callable, Iterator, Mapping
from types import FrameType
from typing import Any

from wsgibench.native.contract import CoreServer
from wsgibench.native.forks import SignalHandlers

STOPS = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT)
OTHERS = (
    signal.SIGHUP,
    signal.SIGUSR1,
    signal.SIGUSR2,
    signal.SIGTTIN,
    signal.SIGTTOU,
    signal.SIGWINCH,
)

Handler = Callable[[], None]


def nothing(number: int, frame: FrameType | None) -> None:
    """A handler, not SIG_IGN: that would be inherited by the programs which
    the application starts."""


def _as_handler(function: Handler) -> Callable[[int, Any], None]:
    return lambda number, frame: function()


@contextlib.contextmanager
def handling(
    wake_fd: int, handlers: Mapping[signal.Signals, Handler]
) -> Iterator[None]:
    """While inside, these signals call their functions in the main thread,
    and a byte is written to ``wake_fd``. The rest of the table does nothing,
    unless the application handles it."""
    new: dict[int, Any] = {
        number: _as_handler(function) for number, function in handlers.items()
    }
    for number in OTHERS:
        if signal.getsignal(number) is signal.SIG_DFL:
            new.setdefault(number, nothing)
    # A child that the application forks needs none of it.
    in_child: dict[int, Any] = {
        number: None
        for number in (*STOPS, *OTHERS)
        if signal.getsignal(number) is nothing
    }
    with SignalHandlers(new, wake_fd, in_child):
        yield


class Ended(KeyboardInterrupt):
    """A signal to stop while nothing is served yet; which, as text."""


class Overdue(KeyboardInterrupt):
    """The time to stop is over, and the application is still called."""


@contextlib.contextmanager
def starting() -> Iterator[None]:
    """Until there is something to stop: TERM, INT and QUIT end the start,
    here and now, and the rest does nothing. What the caller handles stays
    his."""
    came: list[str] = []

    def end(number: int, frame: FrameType | None) -> None:
        came.append(signal.Signals(number).name)
        raise Ended(came[0])

    new: dict[int, Any] = dict.fromkeys(OTHERS, nothing)
    new.update(dict.fromkeys(STOPS, end))
    defaults = (signal.SIG_DFL, signal.default_int_handler)
    for number in list(new):
        if signal.getsignal(number) not in defaults:
            del new[number]
    with SignalHandlers(new):
        yield
        if came:  # and was ignored: what a finalizer raises is
            raise Ended(came[0])


@contextlib.contextmanager
def stopping(core: CoreServer, grace: float) -> Iterator[None]:
    """While inside, TERM and INT stop this server."""

    def stop() -> None:
        core.stop(grace)

    handlers = {signal.SIGTERM: stop, signal.SIGINT: stop}
    with handling(core.wake_fd(), handlers):
        yield


@contextlib.contextmanager
def blocked() -> Iterator[None]:
    """Around a fork: the child must not run the parent's handlers."""
    numbers = {*STOPS, *OTHERS, signal.SIGCHLD}
    old = signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, old)


def reset_in_worker() -> None:
    """In a new worker, until it serves: TERM and QUIT end it, the rest does
    nothing."""
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGTERM, signal.SIGQUIT, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    for number in (signal.SIGINT, *OTHERS):
        signal.signal(number, nothing)
