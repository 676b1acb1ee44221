"""Gates on a run: ``p99=20ms,mean=5ms,errors=0.1%,rate=1000``."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any

from wsgibench.errors import UsageError
from wsgibench.load import stall
from wsgibench.load.hdr import Histogram
from wsgibench.load.tail import at_most, key
from wsgibench.verdicts import INVALID

UNITS = {"ns": 1, "us": 1_000, "ms": 1_000_000, "s": 1_000_000_000}
PERCENTILE = re.compile(r"p(\d{1,2}(\.\d+)?|100)")
NUMBER = re.compile(r"\d+\.?\d*|\.\d+")


@dataclass(frozen=True)
class Gate:
    name: str  # p50, p99.95, mean, max, errors or rate
    limit: float  # nanoseconds, a count or share, requests/s
    is_share: bool = False  # errors: of all requests

    @property
    def is_time(self) -> bool:
        return self.name not in ("errors", "rate")


def parse_time(text: str) -> float:
    """Nanoseconds of ``20ms``."""
    for unit in ("ns", "us", "ms", "s"):
        number = text[: -len(unit)]
        if text.endswith(unit) and NUMBER.fullmatch(number):
            return float(number) * UNITS[unit]
    raise UsageError("%r is not a time like 20ms." % text)


def _count(name: str, text: str) -> Gate:
    is_share = name == "errors" and text.endswith("%")
    number = text[:-1] if is_share else text
    if not NUMBER.fullmatch(number):
        raise UsageError("%r is not a number." % text)
    if is_share and float(number) > 100:
        raise UsageError("errors=%s is more than all requests." % text)
    return Gate(name, float(number) / (100 if is_share else 1), is_share)


def parse(text: str) -> list[Gate]:
    """Before the run: a wrong gate must not be found out after it."""
    gates = []
    for part in text.split(","):
        name, _, limit = (word.strip() for word in part.partition("="))
        if name in ("mean", "max") or PERCENTILE.fullmatch(name):
            gates.append(Gate(name, parse_time(limit)))
        elif name in ("errors", "rate"):
            gates.append(_count(name, limit))
        else:
            raise UsageError(
                "%r is no gate: use p50, p99.9 or any percentile, mean, max, "
                "errors or rate." % name
            )
    return gates


def percentiles(gates: list[Gate]) -> tuple[float, ...]:
    """Those that a record must have for these gates."""
    return tuple(float(g.name[1:]) for g in gates if g.name[0] == "p")


def time_of(gate: Gate, result: dict[str, Any]) -> float | None:
    """Nanoseconds; None if the tool does not tell. A request that failed kept
    no limit, however soon it failed: infinite where too many did."""
    value: float | None
    if gate.name[0] == "p":
        name, q = key(float(gate.name[1:])), float(gate.name[1:]) / 100
    else:
        name, q = gate.name + "_ns", 1.0
    failed = 0 if gate.name == "mean" else _failed(result)
    if "hdr" in result.get("response", {}) and (
        failed or name not in result["tail"]
    ):
        answered, censored = (
            Histogram.decode(result[which]["hdr"])
            for which in ("response", "censored")
        )
        return at_most(answered, censored, failed, q)
    value = result["tail"].get(name)
    return value


def _failed(result: dict[str, Any]) -> int:
    """Without those that the end of the run found under way: they were waited
    for as long as it says."""
    classes = result["classes"]
    waiting = sum(classes.get(name, 0) for name in ("in_flight", "unsent"))
    return int(result["scheduled"] - classes["ok"] - waiting)


def _errors(gate: Gate, result: dict[str, Any]) -> str:
    scheduled = result["scheduled"]
    failed = scheduled - result["classes"]["ok"]
    if gate.is_share:
        if failed <= gate.limit * scheduled:
            return ""
        return "%.3g %% errors, %.3g %% allowed" % (
            100 * failed / scheduled,
            100 * gate.limit,
        )
    if failed <= gate.limit:
        return ""
    return "%d errors, %.0f allowed" % (failed, gate.limit)


def reached(result: dict[str, Any]) -> float:
    """Right answers a second, as ``rate`` asks for them.

    In the open loop what was under way when the time was over counts, if it
    was answered as soon as half of all were; and a Poisson process that came
    to fewer arrivals than its rate is not the server's doing."""
    asked = result["asked"].get("mean_rate", 0)
    seconds = result["duration_s"]
    if not asked or not result["scheduled"]:
        goodput: float = result["goodput"]
        return goodput
    late = result["classes"]["ok"] - result.get("ok_in_time", 0)
    usual = asked * result["tail"].get("p50_ns", 0) / 1e9 + 1
    ok = result.get("ok_in_time", 0) + min(late, usual)
    return float(max(ok / seconds, asked * ok / result["scheduled"]))


def _rate(gate: Gate, result: dict[str, Any]) -> str:
    rate = reached(result)
    # One request more: between the first and the last of a schedule lies one
    # gap less than there are requests.
    if rate + 1 / max(result["duration_s"], 1e-9) >= gate.limit:
        return ""
    return "%.0f requests/s, %.0f wanted" % (rate, gate.limit)


def _stood_still(gate: Gate, result: dict[str, Any]) -> str:
    """A closed loop asks a standing server for nothing: of the requests that
    were due meanwhile its quantiles know one a connection."""
    if result["asked"].get("mean_rate") or gate.name in ("max", "mean"):
        return ""
    longest = stall.unusual_ns(result)
    share = 1 - float(gate.name[1:]) / 100
    if longest <= gate.limit or longest <= share * result["duration_ns"]:
        return ""
    return (
        "%s cannot be vouched for: no answer came for %.3g s, in which a "
        "closed loop asks for nothing (use --rate)"
        % (gate.name, longest / 1e9)
    )


def _missed(gate: Gate, result: dict[str, Any]) -> str:
    if gate.name == "errors":
        return _errors(gate, result)
    if gate.name == "rate":
        return _rate(gate, result)
    value = time_of(gate, result)
    if value is None:
        return "%s does not tell its %s" % (result["tool"], gate.name)
    if value == math.inf:
        return "%s: %d of %d requests failed, and kept no limit" % (
            *(gate.name, _failed(result), result["scheduled"]),
        )
    if value > gate.limit:
        return "%s %.3f ms, %.3f allowed" % (
            gate.name,
            value / 1e6,
            gate.limit / 1e6,
        )
    return _stood_still(gate, result)


def is_allowed(gates: list[Gate], result: dict[str, Any]) -> bool:
    """Is a run INVALID for nothing but as many failures as an ``errors`` gate
    allows?"""
    doubts = result.get("doubts", ())
    spoils = {one["code"] for one in doubts if one["level"] == INVALID}
    of_errors = [gate for gate in gates if gate.name == "errors"]
    return (
        spoils == {"failures"}
        and bool(of_errors)
        and not any(_errors(gate, result) for gate in of_errors)
    )


def missed(gates: list[Gate], result: dict[str, Any]) -> list[str]:
    """A sentence for each gate that the run did not pass."""
    sentences = [_missed(gate, result) for gate in gates]
    if result["interrupted"]:
        sentences.append("an interrupted run passes no gate")
    if result["verdict"] == INVALID and not is_allowed(gates, result):
        sentences.append("an INVALID run passes no gate")
    return [sentence for sentence in sentences if sentence]


def clients_doing(gates: list[Gate], result: dict[str, Any]) -> str:
    """Why a run that missed a gate says nothing of the server; "": it does."""
    if result.get("error"):
        return "the generator itself ended early (%s)" % result["error"]
    if not any(_missed(gate, result) for gate in gates):
        return "" if result["interrupted"] else "the run is INVALID"
    late = [g for g in gates if g.is_time and _missed(g, result)]
    lag = result.get("lag", {}).get("p99_ns", 0)
    if not late or lag <= min(gate.limit for gate in late) / 2:
        return ""
    service = {**result, "tail": result["service"], "response": {}}
    if any(_missed(gate, service) for gate in gates):
        return ""
    return (
        "the client sent late (p99 schedule lag %.3g ms) and the service "
        "times pass: this says nothing of the server" % (lag / 1e6)
    )
