"""Times in which no answer came at all."""

from __future__ import annotations

from typing import Any

#: Shorter ones are those of any machine ...
WORTH_NS = 500_000_000
#: ... and a server that needs a second for each answer stands still for one.
TIMES_USUAL = 3


def unusual_ns(result: dict[str, Any]) -> int:
    """The longest standstill, if it is one of another kind than the time that
    answers take; else 0."""
    usual = result.get("service", {}).get("p90_ns", 0)
    thinking = 1e9 * max(result.get("asked", {}).get("think_s") or [0.0])
    longest = longest_ns(result)
    most = max(WORTH_NS, TIMES_USUAL * usual + thinking)
    return longest if longest >= most else 0


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
