"""Is a run worth believing? Reasons, each a sentence with its number."""

from __future__ import annotations

from typing import Any

VALID, SUSPECT, INVALID = "VALID", "SUSPECT", "INVALID"

MAX_ERRORS = 1e-3  # of all requests; above it the run is no measurement
MAX_LAG_NS = 100_000  # p99, open loop
MIN_RATE = 0.99  # achieved / asked, open loop
MAX_STEAL = 0.01


def judge(result: dict[str, Any], rate: float) -> tuple[str, list[str]]:
    """(verdict, reasons) of one generator's result."""
    invalid: list[str] = []
    suspect: list[str] = []
    classes: dict[str, int] = result["classes"]
    scheduled = max(1, result["scheduled"])
    failed = sum(
        count
        for name, count in classes.items()
        if name not in ("ok", "in_flight", "unsent")
    )
    if classes["ok"] == 0:
        invalid.append("no request was answered")
    if classes["bad_body"]:
        invalid.append("%d wrong bodies" % classes["bad_body"])
    if failed / scheduled > MAX_ERRORS:
        invalid.append("%d of %d requests failed" % (failed, scheduled))
    elif failed:
        suspect.append("%d of %d requests failed" % (failed, scheduled))
    connections = result["connections"]
    starved = connections["asked"] - connections["ever_answered"]
    if starved and scheduled >= 10 * connections["asked"]:
        suspect.append(
            "%d of %d connections were never answered"
            % (starved, connections["asked"])
        )
    _judge_rate(result, rate, suspect)
    _judge_kernel(result, suspect)
    if result["interrupted"]:
        suspect.append("interrupted")
    if invalid:
        return INVALID, invalid + suspect
    return (SUSPECT if suspect else VALID), suspect


def _judge_rate(
    result: dict[str, Any], rate: float, suspect: list[str]
) -> None:
    if not rate:
        return
    seconds = result["duration_ns"] / 1e9
    achieved = result["classes"]["ok"] / seconds
    if achieved < MIN_RATE * rate:
        suspect.append(
            "%.0f requests/s asked, %.0f answered" % (rate, achieved)
        )
    lag = result["lag"]["p99_ns"]
    if lag > MAX_LAG_NS:
        suspect.append("p99 schedule lag %.0f us" % (lag / 1e3))


def _judge_kernel(result: dict[str, Any], suspect: list[str]) -> None:
    kernel = result.get("kernel", {})
    for name in ("ListenOverflows", "ListenDrops", "RetransSegs"):
        if kernel.get(name):
            suspect.append("%s rose by %d" % (name, kernel[name]))
    seconds = result["duration_ns"] / 1e9
    steal = kernel.get("steal_ticks", 0) / 100 / max(seconds, 1e-9)
    if steal > MAX_STEAL:
        suspect.append("%.1f %% of a CPU was stolen" % (100 * steal))
