"""What is held against a worker of a load from several machines."""

from __future__ import annotations

from typing import Any

from wsgibench.load.doubts import MAX_CLIENT_CPU, MAX_STEAL
from wsgibench.verdicts import (
    INVALID,
    LATENCY,
    NUMBERS,
    SUSPECT,
    Doubt,
    doubt,
)

MAX_WAIT = 0.05  # of the time, ready to run and without a CPU


def find(worker: dict[str, Any], is_open: bool) -> list[Doubt]:
    """Of one worker, who is named."""
    name = worker["name"]
    found: list[Doubt] = []

    def add(
        code: str, level: str, numbers: Any, text: str, advice: str
    ) -> None:
        found.append(
            doubt(code, level, numbers, "worker %s %s" % (name, text), advice)
        )

    if worker["lost"]:
        add(
            *("worker-lost", INVALID if is_open else SUSPECT, NUMBERS),
            worker["lost"] + ": what it had reported until then is counted",
            "see its log, and run again",
        )
    for began, ended in worker["missing"]:
        add(
            *("worker-away", SUSPECT, NUMBERS),
            "was not heard of for %.0f s" % max(1.0, ended - began),
            "a network that holds",
        )
    for error in worker["errors"]:
        add("worker-failed", INVALID, NUMBERS, "failed: " + error, "mend it")
    if worker["wait_share"] > MAX_WAIT:
        add(
            *("worker-slow", SUSPECT, (LATENCY,)),
            "waited %.0f %% of the time for a CPU"
            % (100 * worker["wait_share"]),
            "give it a CPU of its own",
        )
    if worker["steal_share"] > MAX_STEAL:
        add(
            *("worker-slow", SUSPECT, NUMBERS),
            "had %.1f %% of a CPU stolen" % (100 * worker["steal_share"]),
            "use a machine of your own",
        )
    if worker["cpu_share"] > MAX_CLIENT_CPU:
        add(
            *("worker-slow", SUSPECT, (LATENCY,)),
            "was at its limit (%.0f %% of its CPU)"
            % (100 * worker["cpu_share"]),
            "use more workers",
        )
    return found
