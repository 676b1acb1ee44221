"""Is a worker stuck? It tells the supervisor through shared memory.

A thread of the worker looks at its server from time to time, away from the
path of requests, and beats as long as the server makes progress. Where the
application holds the interpreter for itself, that thread does not run either.
"""

from __future__ import annotations

import mmap
import struct
import threading
import time
from collections.abc import Callable, Hashable, Sequence

from wsgibench.native.contract import CoreServer

_BEAT = struct.Struct("=d")


class Heartbeats:
    """One beat, a monotonic time, per worker; shared with forked children."""

    def __init__(self, workers: int) -> None:
        self._memory = mmap.mmap(-1, workers * _BEAT.size)

    def beat(self, worker: int) -> None:
        now = time.monotonic()
        _BEAT.pack_into(self._memory, worker * _BEAT.size, now)

    def age(self, worker: int) -> float:
        """Seconds since the last beat."""
        (last,) = _BEAT.unpack_from(self._memory, worker * _BEAT.size)
        return float(time.monotonic() - last)


def period(timeout: float) -> float:
    """Seconds between two looks: one is found stuck at most two later."""
    return min(0.25, timeout / 4)


def progress(core: CoreServer, threads: int) -> Hashable:
    """Differs from one look to the next unless the server is stuck."""
    if not threads:
        return core.turns()
    stats = core.stats()
    if stats["busy"] < threads:
        return time.monotonic()  # there is a thread to spare
    return stats["responses"], stats["bytes_in"], stats["bytes_out"]


def beat_while_alive(
    cores: Sequence[CoreServer],
    threads: int,
    timeout: float,
    beat: Callable[[], None],
) -> Callable[[], None]:
    """Start the thread that looks; what is returned ends it."""
    over = threading.Event()

    def look() -> None:
        before: list[Hashable] = [None] * len(cores)
        while not over.is_set():
            now = [progress(core, threads) for core in cores]
            if all(a != b for a, b in zip(now, before)):
                beat()
            before = now
            for core in cores:
                core.wake()  # an idle loop turns only when it is woken
            over.wait(period(timeout))

    thread = threading.Thread(target=look, daemon=True, name="wsgibench-beat")
    thread.start()

    def end() -> None:
        over.set()
        thread.join()

    return end
