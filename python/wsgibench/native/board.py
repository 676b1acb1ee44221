"""Numbers of all workers in shared memory: each writes its own place, anyone
may add them up."""

from __future__ import annotations

import mmap
import struct
from collections.abc import Sequence
from typing import Any

#: Of CoreServer.stats(): those that only grow, and those of the moment. It is
#: wb_stats of csrc/include/wsgibench.h; wb_server_stats fills it (server.c),
#: csrc/cpython/figures.c names its fields once more.
COUNTERS = (
    "accepted",
    "refused",
    "timeouts",
    "resets",
    "accept_errors",
    "bytes_in",
    "bytes_out",
    "log_lost",
)
GAUGES = ("connections", "busy")
CLASSES = 6  # 0: cut off without a status; 1xx ... 5xx
BUCKETS = 17  # of wb_metrics: WB_BUCKETS, and what took longer

#: name -> how many numbers it is, in the order of a place.
LAYOUT = {
    "workers": 1,
    **dict.fromkeys(GAUGES, 1),
    **dict.fromkeys(COUNTERS, 1),
    "answers": CLASSES,
    "queue": BUCKETS,
    "queue_us": 1,
    "duration": CLASSES * BUCKETS,
    "duration_us": CLASSES,
}
SIZE = sum(LAYOUT.values())
#: So many at the front of a place belong to the living.
MOMENTARY = 1 + len(GAUGES)
_PLACE = struct.Struct("=%dQ" % SIZE)
_NUMBER = struct.Struct("=Q")
FRONT = 2 * _NUMBER.size


def flat(stats: dict[str, int], metrics: dict[str, Any]) -> list[int]:
    """A place's numbers, of one server."""
    statuses = metrics["statuses"]
    answers = [sum(metrics["duration"][0])]
    answers += [sum(statuses[at : at + 100]) for at in range(0, 500, 100)]
    return [
        1,
        *(stats[name] for name in (*GAUGES, *COUNTERS)),
        *answers,
        *metrics["queue"],
        metrics["queue_us"],
        *(count for row in metrics["duration"] for count in row),
        *metrics["duration_us"],
    ]


def together(rows: Sequence[Sequence[int]]) -> list[int]:
    """The servers of one process."""
    found = [sum(column) for column in zip(*rows)]
    found[0] = 1
    return found


class Board:
    """Made before the fork. ``retire`` is for the supervisor alone."""

    def __init__(self, places: int) -> None:
        self._places = places
        # A number that is odd while places change hands; how many places
        # have ever been used; what the dead have counted; the places.
        self._memory = mmap.mmap(-1, FRONT + (places + 1) * _PLACE.size)

    def _at(self, place: int) -> int:
        return FRONT + (place + 1) * _PLACE.size

    def write(self, place: int, numbers: Sequence[int]) -> None:
        if _NUMBER.unpack_from(self._memory, _NUMBER.size)[0] <= place:
            _NUMBER.pack_into(self._memory, _NUMBER.size, place + 1)
        _PLACE.pack_into(self._memory, self._at(place), *numbers)

    def retire(self, place: int) -> None:
        """Its worker has ended: what it counted is kept."""
        turn = _NUMBER.unpack_from(self._memory)[0]
        _NUMBER.pack_into(self._memory, 0, turn + 1)
        kept = _PLACE.unpack_from(self._memory, self._at(-1))
        last = _PLACE.unpack_from(self._memory, self._at(place))
        last = (0,) * MOMENTARY + last[MOMENTARY:]
        _PLACE.pack_into(
            self._memory, self._at(-1), *(a + b for a, b in zip(kept, last))
        )
        _PLACE.pack_into(self._memory, self._at(place), *(0,) * SIZE)
        _NUMBER.pack_into(self._memory, 0, turn + 2)

    def total(self) -> dict[str, list[int]]:
        """By the names of LAYOUT."""
        while True:
            before = _NUMBER.unpack_from(self._memory)[0]
            used = _NUMBER.unpack_from(self._memory, _NUMBER.size)[0]
            data = self._memory[FRONT : self._at(used)]
            after = _NUMBER.unpack_from(self._memory)[0]
            if before == after and not before % 2:
                break
        sums = [sum(column) for column in zip(*_PLACE.iter_unpack(data))]
        found, at = {}, 0
        for name, count in LAYOUT.items():
            found[name] = sums[at : at + count]
            at += count
        return found
