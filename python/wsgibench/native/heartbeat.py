"""Is a worker stuck? It tells the supervisor through shared memory.

A thread of the worker looks at its server from time to time, away from the
path of requests, and beats as long as the server makes progress. Where the
application holds the interpreter for itself, that thread does not run either.
"""

from __future__ import annotations

import mmap
import struct
import time
from collections.abc import Callable, Hashable, Sequence

from wsgibench.native.contract import CoreServer
from wsgibench.native.unpatched import Alarm, Thread

_BEAT = struct.Struct("=d")
_PLACE = struct.Struct("=d?7x")  # the last beat; told to finish


class Heartbeats:
    """One beat, a monotonic time, per place; shared with forked children."""

    def __init__(self, places: int) -> None:
        self._memory = mmap.mmap(-1, places * _PLACE.size)

    def begin(self, place: int) -> None:
        now = time.monotonic()
        _PLACE.pack_into(self._memory, place * _PLACE.size, now, False)

    def beat(self, place: int) -> None:
        _BEAT.pack_into(self._memory, place * _PLACE.size, time.monotonic())

    def age(self, place: int) -> float:
        """Seconds since the last beat."""
        (last,) = _BEAT.unpack_from(self._memory, place * _PLACE.size)
        return float(time.monotonic() - last)

    def finish(self, place: int) -> None:
        self._memory[place * _PLACE.size + _BEAT.size] = 1

    def must_finish(self, place: int) -> bool:
        return self._memory[place * _PLACE.size + _BEAT.size] == 1


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
    over = Alarm()

    def look() -> None:
        before: list[Hashable] = [None] * len(cores)
        while True:
            now = [progress(core, threads) for core in cores]
            if all(a != b for a, b in zip(now, before)):
                beat()
            before = now
            for core in cores:
                core.wake()  # an idle loop turns only when it is woken
            if over.wait(period(timeout)):
                return

    thread = Thread(look, "wsgibench-beat")

    def end() -> None:
        over.set()
        thread.join()

    return end
