"""Turning servers until they have stopped: one, several, or in threads."""

from __future__ import annotations

import functools
import os
import select
import time
from collections.abc import Callable, Sequence

from wsgibench.native.contract import CoreServer
from wsgibench.native.forks import end_child
from wsgibench.native.unpatched import Alarm, Thread, original

#: Seconds between two looks for signals, should nothing else end a wait: an
#: application can take the wake-up descriptor away (asyncio does).
LOOK = 1.0
LOOK_IN_THREADS = 0.1
get_ident = original("_thread", "get_ident")


def _nothing() -> None:
    pass


def run(
    cores: Sequence[CoreServer],
    threads: int,
    loops: int = 1,
    on_start: Callable[[], None] = _nothing,
) -> None:
    """In this thread; or in ``threads`` others for each server; or, with
    several loops, in a thread for each. The servers of the first loop come
    first in ``cores``, then those of the second ... ``on_start`` is called
    when all threads are there."""
    if threads or loops > 1:
        _run_in_threads(cores, threads, loops, on_start)
        return
    on_start()
    if len(cores) == 1:
        cores[0].run()
    else:
        _run_several(cores)


def _run_in_threads(
    cores: Sequence[CoreServer],
    threads: int,
    loops: int,
    on_start: Callable[[], None],
) -> None:
    running = ServingThreads(cores, threads, loops=loops)
    running.start()
    on_start()
    # Signal handlers run between the waits, in this thread.
    while not running.join(LOOK_IN_THREADS):
        pass
    if running.error is not None:
        raise running.error


def _targets(
    cores: Sequence[CoreServer], threads: int, loops: int
) -> list[Callable[[], None]]:
    """What the threads do."""
    if threads:
        return [
            target
            for core in cores
            for target in [core.stand_by] + [core.run] * threads
        ]
    each = len(cores) // loops
    if each == 1:
        return [core.run for core in cores]
    return [
        functools.partial(_run_several, cores[at : at + each])
        for at in range(0, len(cores), each)
    ]


class ServingThreads:
    """Threads that serve: ``threads`` for each server, and one that stands by
    for when they are held up; with 0 one for each loop, which turns all
    servers of it.

    What has to leave the server (KeyboardInterrupt, SystemExit of the
    application) ends all of them at once, and is ``error`` then.
    """

    def __init__(
        self,
        cores: Sequence[CoreServer],
        threads: int,
        on_end: Callable[[], None] = _nothing,
        loops: int = 1,
    ) -> None:
        """on_end: called by the last thread, when it has ended."""
        self.error: BaseException | None = None
        self._cores = cores
        self._on_end = on_end
        self._pid = os.getpid()
        self._lock = original("_thread", "allocate_lock")()
        self._all_there = Alarm()
        self._given_up = False
        self._idents: set[int] = set()
        self._targets = _targets(cores, threads, loops)
        self._left = len(self._targets)
        self._threads: list[Thread] = []

    def start(self) -> None:
        """All of them or none: WsgibenchError if one cannot be started."""
        try:
            for target in self._targets:
                run = functools.partial(self._begin, target)
                self._threads.append(Thread(run, "wsgibench"))
        except BaseException:
            self._given_up = True
            self._all_there.set()
            self.join(None)
            raise
        self._all_there.set()

    def join(self, timeout: float | None) -> bool:
        """Whether all have ended; waits so many seconds for it, or for ever.
        A forked child has none of them."""
        if self._pid != os.getpid():
            return True
        if timeout is None:
            return all(thread.join() for thread in self._threads)
        until = time.monotonic() + timeout
        return all(
            thread.join(max(0.0, until - time.monotonic()))
            for thread in self._threads
        )

    def has_caller(self) -> bool:
        """Whether the caller is one of these threads."""
        return get_ident() in self._idents

    def _begin(self, target: Callable[[], None]) -> None:
        self._all_there.wait()
        if not self._given_up:
            self._run(target)

    def _run(self, target: Callable[[], None]) -> None:
        self._idents.add(get_ident())
        try:
            target()
        except BaseException as error:
            if self._pid != os.getpid():
                end_child(error)
            if not all(core.stopped for core in self._cores):
                self._end_all(error)
            elif isinstance(error, (KeyboardInterrupt, SystemExit)):
                self.error = self.error or error
            # else it was closed before this thread came to it
        with self._lock:
            self._idents.discard(get_ident())
            self._left -= 1
            last = not self._left
        if last:
            self._on_end()

    def _end_all(self, error: BaseException) -> None:
        self.error = self.error or error
        for core in self._cores:
            core.stop(0.0)


def _run_several(cores: Sequence[CoreServer]) -> None:
    """They share this thread: the application is never called twice at
    once."""
    waiting = {core.fileno(): core for core in cores}
    poller = original("select", "poll")()
    for fd in waiting:
        poller.register(fd, select.POLLIN)
    while waiting:
        for fd, core in list(waiting.items()):
            if core.turn(0) < 0:
                poller.unregister(fd)
                del waiting[fd]
        due = [core.timeout() for core in waiting.values()]
        if waiting:
            poller.poll(1000 * min([LOOK, *(t for t in due if t is not None)]))
