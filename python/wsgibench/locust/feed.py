"""What the generator counted, as Locust's statistics.

Locust merges response times by their value in milliseconds, whatever the
value; ours are those of the histogram, so its percentiles have three digits
instead of two.
"""

from __future__ import annotations

import time
from typing import Any

from locust.stats import StatsEntry, StatsError

from wsgibench.load.hdr import highest_value

#: The run's end, not the server's doing.
CUT_OFF = ("in_flight", "unsent")


def _added(
    now: dict[str, Any], before: dict[str, Any], name: str
) -> dict[int, int]:
    """Counts by place that are new."""
    pairs, old = now[name]["places"], before.get(name, {}).get("places", [])
    was = dict(zip(old[::2], old[1::2]))
    return {
        place: count - was.get(place, 0)
        for place, count in zip(pairs[::2], pairs[1::2])
        if count > was.get(place, 0)
    }


class Feed:
    """One kind of requests: a line of Locust's tables."""

    def __init__(self, stats: Any, name: str, method: str) -> None:
        self._stats = stats
        self._name, self._method = name, method
        self._before: dict[str, Any] = {}

    def again(self) -> None:
        """The next results are those of another generator."""
        self._before = {}

    def __call__(self, raw: dict[str, Any]) -> None:
        before, self._before = self._before, raw
        classes = {
            name: count - before.get("classes", {}).get(name, 0)
            for name, count in raw["classes"].items()
        }
        failed = {
            name: count
            for name, count in classes.items()
            if count and name not in ("ok", *CUT_OFF)
        }
        requests = classes["ok"] + sum(failed.values())
        if not requests:
            return
        places = _added(raw, before, "response")
        if failed:
            for place, count in _added(raw, before, "censored").items():
                places[place] = places.get(place, 0) + count
        entry = self._entry(places, requests, sum(failed.values()))
        size = raw["bytes_in"] - before.get("bytes_in", 0)
        entry.total_content_length = size
        self._stats.get(self._name, self._method).extend(entry)
        self._stats.total.extend(entry)
        self._errors(failed)

    def _entry(
        self, places: dict[int, int], requests: int, failed: int
    ) -> Any:
        now = time.time()
        entry = StatsEntry(self._stats, self._name, self._method)
        entry.start_time = self._stats.start_time or now
        entry.last_request_timestamp = now
        entry.num_requests, entry.num_failures = requests, failed
        entry.num_reqs_per_sec = {int(now): requests}
        entry.num_fail_per_sec = {int(now): failed} if failed else {}
        times: dict[float, int] = {}
        for place, count in places.items():
            value = round(highest_value(place) / 1e6, 3)
            times[value] = times.get(value, 0) + count
        entry.response_times = times
        entry.total_response_time = sum(t * n for t, n in times.items())
        entry.min_response_time = min(times, default=None)
        entry.max_response_time = max(times, default=0)
        return entry

    def _errors(self, failed: dict[str, int]) -> None:
        now = time.time()
        for name, count in failed.items():
            key = StatsError.create_key(self._method, self._name, name)
            error = self._stats.errors.get(key)
            if error is None:
                error = StatsError(self._method, self._name, name)
                error.first_seen = now
                self._stats.errors[key] = error
            error.occurrences += count
            error.last_seen = now
