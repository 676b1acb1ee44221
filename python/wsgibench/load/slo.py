"""Gates on a run: ``p99=20ms,errors=0,rate=1000``."""

from __future__ import annotations

from typing import Any

from wsgibench.errors import UsageError
from wsgibench.load.tail import QUANTILES

UNITS = {"ns": 1, "us": 1_000, "ms": 1_000_000, "s": 1_000_000_000}
TIMES = [*(name[:-3] for name in QUANTILES), "max"]

#: name, limit (nanoseconds, a count or a rate)
Gate = tuple[str, float]


def parse_time(text: str) -> float:
    """Nanoseconds of ``20ms``."""
    for unit in ("ns", "us", "ms", "s"):
        number = text[: -len(unit)]
        if text.endswith(unit) and number.replace(".", "", 1).isdigit():
            return float(number) * UNITS[unit]
    raise UsageError("%r is not a time like 20ms." % text)


def parse(text: str) -> list[Gate]:
    """Before the run: a wrong gate must not be found out after it."""
    gates = []
    for part in text.split(","):
        name, _, limit = part.strip().partition("=")
        if name in TIMES:
            gates.append((name, parse_time(limit)))
        elif name in ("errors", "rate"):
            try:
                gates.append((name, float(limit)))
            except ValueError as error:
                raise UsageError("%r is not a number." % limit) from error
        else:
            raise UsageError(
                "%r is no gate: use %s, errors or rate."
                % (name, ", ".join(TIMES))
            )
    return gates


def _missed(gate: Gate, result: dict[str, Any]) -> str:
    name, limit = gate
    if name == "errors":
        failed = result["scheduled"] - result["classes"]["ok"]
        if failed > limit:
            return "%d errors, %.0f allowed" % (failed, limit)
        return ""
    if name == "rate":
        if result["goodput"] < limit:
            return "%.0f requests/s, %.0f wanted" % (result["goodput"], limit)
        return ""
    value = result["tail"].get(name + "_ns")
    if value is None:
        return "%s does not tell its %s" % (result["tool"], name)
    if value > limit:
        return "%s %.3f ms, %.3f allowed" % (name, value / 1e6, limit / 1e6)
    return ""


def missed(gates: list[Gate], result: dict[str, Any]) -> list[str]:
    """A sentence for each gate that the run did not pass."""
    sentences = [_missed(gate, result) for gate in gates]
    if result["interrupted"]:
        sentences.append("an interrupted run passes no gate")
    if result["verdict"] == "INVALID":
        sentences.append("an INVALID run passes no gate")
    return [sentence for sentence in sentences if sentence]
