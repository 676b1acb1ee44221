"""Times in which no answer came at all."""

from __future__ import annotations

from typing import Any

from wsgibench.load.hdr import Histogram

#: Shorter ones are those of any machine ...
WORTH_NS = 500_000_000
#: ... and a server that needs a second for each answer stands still for one.
TIMES_USUAL = 3


def unusual_ns(result: dict[str, Any]) -> int:
    """The longest standstill, if it is one of another kind than the time that
    answers take; else 0."""
    usual = result.get("service", {}).get("p90_ns", 0)
    thinking = 1e9 * max(result.get("asked", {}).get("think_s") or [0.0])
    longest = max(longest_ns(result), hidden_ns(result))
    most = max(WORTH_NS, TIMES_USUAL * usual + thinking)
    return longest if longest >= most else 0


def hidden_ns(result: dict[str, Any]) -> int:
    """Windows that are wider show no standstill; but in one, every connection
    waits for its answer: as long as that of the last of them took, if it is
    one of the slowest of all. 0: the windows show it, or a tool kept none."""
    width = max(
        (one["end_ns"] - one["start_ns"] for one in result.get("windows", ())),
        default=0,
    )
    service = result.get("service", {})
    count = service.get("count", 0) if "hdr" in service else 0
    waiting = result.get("connections", {}).get("asked", 0)
    if width < WORTH_NS / 2 or not 0 < waiting < count:
        return 0
    slowest = Histogram.decode(service["hdr"])
    return slowest.quantile(1 - (waiting - 1) / count)


def longest_ns(result: dict[str, Any]) -> int:
    """The longest stretch of windows without an answer, right or wrong, in a
    run that had answers before or behind it. 0: none, or nothing was asked."""
    longest = begun = 0
    running = False
    asked = False
    for window in result.get("windows", ()):
        quiet = not window["ok"] and not window["failed"]
        if quiet and not running:
            begun, running = window["start_ns"], True
        running = running and quiet
        asked = asked or not quiet
        if running:
            longest = max(longest, window["end_ns"] - begun)
    return longest if asked else 0
