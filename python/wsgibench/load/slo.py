"""Gates on a run: ``p99=20ms,errors=0,rate=1000``."""

from __future__ import annotations

from typing import Any

from wsgibench.errors import UsageError

UNITS = {"ns": 1, "us": 1_000, "ms": 1_000_000, "s": 1_000_000_000}


def parse_time(text: str) -> float:
    """Nanoseconds of ``20ms``."""
    for unit in ("ns", "us", "ms", "s"):
        number = text[: -len(unit)]
        if text.endswith(unit) and number.replace(".", "", 1).isdigit():
            return float(number) * UNITS[unit]
    raise UsageError("%r is not a time like 20ms." % text)


def missed(text: str, result: dict[str, Any], rate: float) -> list[str]:
    """A sentence for each gate that the run did not pass."""
    sentences = []
    times = result["response" if rate else "service"]
    for gate in text.split(","):
        name, _, limit = gate.partition("=")
        if name == "errors":
            failed = result["scheduled"] - result["classes"]["ok"]
            if failed > int(limit):
                sentences.append("%d errors, %s allowed" % (failed, limit))
        elif name == "rate":
            if result["goodput"] < float(limit):
                sentences.append(
                    "%.0f requests/s, %s wanted" % (result["goodput"], limit)
                )
        elif name + "_ns" in times:
            value = times[name + "_ns"]
            if value > parse_time(limit):
                sentences.append(
                    "%s %.3f ms, %s allowed" % (name, value / 1e6, limit)
                )
        else:
            raise UsageError(
                "%r is no gate: use p50, p90, p99, p99.9, p99.99, max, "
                "errors or rate." % name
            )
    if result["interrupted"]:
        sentences.append("an interrupted run passes no gate")
    return sentences
