"""Turning servers until they have stopped: one, several, or in threads."""

from __future__ import annotations

import select
from collections.abc import Sequence

from wsgibench.native.contract import CoreServer
from wsgibench.native.unpatched import Thread, original

#: Seconds between two looks for signals, should nothing else end a wait: an
#: application can take the wake-up descriptor away (asyncio does).
LOOK = 1.0
LOOK_IN_THREADS = 0.1


def run(cores: Sequence[CoreServer], threads: int) -> None:
    """In this thread, and ``threads`` others for each server."""
    if threads:
        _run_in_threads(cores, threads)
    elif len(cores) == 1:
        cores[0].run()
    else:
        _run_several(cores)


def _run_in_threads(cores: Sequence[CoreServer], threads: int) -> None:
    targets = [
        target
        for core in cores
        for target in [core.run_loop] + [core.run_worker] * threads
    ]
    running = [Thread(target, "wsgibench") for target in targets]
    for thread in running:
        # Signal handlers run between the waits, in this thread.
        while not thread.join(LOOK_IN_THREADS):
            pass


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
