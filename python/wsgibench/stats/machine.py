"""Did others use the CPUs of server and client?

In a closed loop without waiting, the two of them together use what there is.
Three things can take it from them: other processes on their CPUs (which shows
as time that ours waited in the run queue while the CPU was busy with others),
the hypervisor (stolen time), and the limit of a control group (throttling).
A server that waits for itself, its threads for one another or for a timer,
shows none of these.

And the server's CPU can be slower than usual, by its clock or by a guest on
the other hardware thread of its core, while the server has all of its time. A
fixed piece of work shows that (harness/yardstick.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from wsgibench import verdicts
from wsgibench.verdicts import FEW_LOOKS, SLOWER

#: Of one CPU, in the measured time. Ticks of 10 ms in 2 s are known to about
#: 0.01; what takes less than this moves a number by less than a start does.
TAKEN = 0.03
STOLEN = 0.02  # a tick on each of two CPUs, in a second
THROTTLED = 0.01


@dataclass(frozen=True)
class Shares:
    """Of one CPU: 0.5 is half of its time; 2 is all of two CPUs."""

    server: float
    client: float
    server_wait: float  # could run and had no CPU
    client_wait: float
    others: float  # used on the CPUs of server and client
    stolen: float
    throttled: float
    pressure: float  # PSI: some process on the machine waited
    involuntary: float  # switches of the server, a second

    @property
    def taken(self) -> float:
        """What others had while ours waited for it. A server's threads wait
        for one another too, and others may use what ours leave: so the
        lesser of the two."""
        return min(self.others, self.server_wait + self.client_wait)


def _rate(
    samples: list[dict[str, Any]], field: str, begin: float, end: float
) -> float:
    """By how much a counter rose, by time in the same unit."""
    times = [float(one["time_ns"]) for one in samples]
    seen = [float(one.get(field, 0)) for one in samples]
    values = np.maximum.accumulate(seen)
    low, high = np.interp((begin, end), times, values)
    return float((high - low) / (end - begin))


def shares(start: dict[str, Any], begin_s: float, end_s: float) -> Shares:
    """Between two seconds of the load; needs `known`."""
    origin = start["load"]["start_ns"]
    begin, end = origin + 1e9 * begin_s, origin + 1e9 * end_s

    def of(samples: str, field: str) -> float:
        found = start.get(samples)
        return _rate(found, field, begin, end) if found else 0.0

    server, client = of("usage", "cpu_ns"), of("client_usage", "cpu_ns")
    ours = server + client + of("machine_usage", "other_ns")
    return Shares(
        server=server,
        client=client,
        server_wait=of("usage", "wait_ns"),
        client_wait=of("client_usage", "wait_ns"),
        others=max(0.0, of("machine_usage", "busy_ns") - ours),
        stolen=of("machine_usage", "steal_ns"),
        throttled=1e3 * of("machine_usage", "throttled_us"),
        pressure=1e3 * of("machine_usage", "pressure_us"),
        involuntary=1e9 * of("usage", "involuntary"),
    )


def known(start: dict[str, Any]) -> bool:
    return bool(start.get("machine_usage"))


def slower(start: dict[str, Any]) -> float:
    """By which part the server's CPU was slower than usual, before the load
    or after it; 0 if that is not known."""
    looks = start.get("yardstick", ())
    known = [one for one in looks if one["usual_us"] > 0]
    found = [float(one["now_us"] / one["usual_us"]) - 1 for one in known]
    return max([0.0, *found])


def review(record: dict[str, Any]) -> None:
    """Holds each look against what turned out to be usual on its CPU, the
    lower quartile of the record's: a run that begins while the CPU is slow
    takes that for usual, until it has seen it faster."""
    looks: dict[Any, list[dict[str, Any]]] = {}
    for cell in [*record["cells"], *record.get("baselines", ())]:
        for start in cell["starts"]:
            for one in start.get("yardstick", ()):
                looks.setdefault(one.get("cpu"), []).append(one)
    for same in looks.values():
        if len(same) < FEW_LOOKS:
            continue
        quartile = verdicts.usual(one["now_us"] for one in same)
        for one in same:
            one["usual_us"] = min(one["usual_us"], quartile)


#: What a machine is known by, and what several of each are called.
KNOWN_BY = {"cpu": "processors", "kernel": "kernels", "system": "systems"}


def _cpus(record: dict[str, Any]) -> int:
    return len(record["machine"].get("cpus", []))


def identity(record: dict[str, Any]) -> tuple[Any, ...]:
    """Equal for records whose times may be held against each other."""
    known = [record["machine"].get(key, "") for key in KNOWN_BY]
    return (*known, _cpus(record))


def differences(a: dict[str, Any], b: dict[str, Any]) -> list[str]:
    """Sentences: in what the machines of two records differ."""
    found = []
    for key, what in KNOWN_BY.items():
        one, other = a["machine"].get(key), b["machine"].get(key)
        if one != other:
            found.append(
                "they were measured on different %s: %s and %s"
                % (what, one, other)
            )
    counts = _cpus(a), _cpus(b)
    if counts[0] != counts[1]:
        found.append("they had %d and %d CPUs" % counts)
    return found


def usual(record: dict[str, Any]) -> float | None:
    """Microseconds that the fixed piece of work took on the record's machine,
    the median of its starts; None if none tells."""
    looks = [
        float(one["usual_us"])
        for cell in record["cells"]
        for start in cell["starts"]
        for one in start.get("yardstick", ())
    ]
    return float(np.median(looks)) if looks else None


def disturbance(start: dict[str, Any], begin_s: float, end_s: float) -> str:
    """A sentence if the start was disturbed between these seconds."""
    found_slower = slower(start)
    if found_slower > SLOWER:
        return (
            "the server's CPU was %.0f %% slower than usual (its clock, or "
            "another guest on its core)" % (100 * found_slower)
        )
    if not known(start) or end_s <= begin_s:
        return ""
    found = shares(start, begin_s, end_s)
    used = "server and client used %.2f CPUs" % (found.server + found.client)
    if found.taken > TAKEN:
        return (
            "others used %.2f CPUs of theirs, for which the server waited "
            "%.0f %% of the time and the client %.0f %% (%.0f involuntary "
            "switches/s); %s"
            % (
                found.others,
                100 * found.server_wait,
                100 * found.client_wait,
                found.involuntary,
                used,
            )
        )
    if found.stolen > STOLEN:
        return "the hypervisor gave %.2f CPUs of theirs to others; %s" % (
            found.stolen,
            used,
        )
    if found.throttled > THROTTLED:
        return (
            "a limit of the control group stopped them %.0f %% of the time; "
            "%s" % (100 * found.throttled, used)
        )
    return ""
