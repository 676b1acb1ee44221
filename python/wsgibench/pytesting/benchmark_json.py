"""Races in the form that ``pytest-benchmark compare`` reads.

A round is a start of a server; its time is the server CPU (s) of a request.
"""

from __future__ import annotations

import datetime
import os
import platform
import statistics
from typing import Any

from wsgibench import __version__
from wsgibench.pytesting.race import Race
from wsgibench.stats import summary


def _stats(data: list[float]) -> dict[str, Any]:
    """The fields of pytest-benchmark's stats.py."""
    mean = statistics.fmean(data)
    median = statistics.median(data)
    spread = statistics.stdev(data) if len(data) > 1 else 0.0
    if len(data) > 1:
        q1, _, q3 = statistics.quantiles(data, n=4, method="inclusive")
    else:
        q1 = q3 = median
    iqr = q3 - q1
    inside = [x for x in data if q1 - 1.5 * iqr <= x <= q3 + 1.5 * iqr]
    far = [x for x in data if abs(x - mean) > spread]
    return {
        "min": min(data),
        "max": max(data),
        "mean": mean,
        "stddev": spread,
        "rounds": len(data),
        "median": median,
        "iqr": iqr,
        "q1": q1,
        "q3": q3,
        "iqr_outliers": len(data) - len(inside),
        "stddev_outliers": len(far),
        "outliers": "%d;%d" % (len(far), len(data) - len(inside)),
        "ld15iqr": min(inside),
        "hd15iqr": max(inside),
        "ops": 1 / mean,
        "total": sum(data),
        "data": data,
        "iterations": 1,
    }


def benchmarks(test: str, fullname: str, race: Race) -> list[dict[str, Any]]:
    """One for each target of a race that a test ran."""
    found = []
    for one in race.record["cells"]:
        name = one["server"]
        costs = [cost / 1e6 for cost in race.costs(name)]
        if not costs:
            continue
        row = summary.row(one)
        found.append(
            {
                "group": test,
                "name": "%s[%s]" % (test, name),
                "fullname": "%s[%s]" % (fullname, name),
                "params": {"server": name},
                "param": name,
                "extra_info": {
                    "unit": "server CPU seconds per request",
                    "requests_per_second": row.get("goodput"),
                    "p99_ns": row.get("p99_ns"),
                    "verdicts": row["verdicts"],
                    "reasons": row["reasons"],
                },
                "options": {
                    "disable_gc": False,
                    "timer": "process CPU clock",
                    "min_rounds": len(costs),
                    "max_time": 0.0,
                    "min_time": 0.0,
                    "warmup": True,
                },
                "stats": _stats(costs),
            }
        )
    return found


def document(found: list[dict[str, Any]]) -> dict[str, Any]:
    now = datetime.datetime.now(datetime.timezone.utc).isoformat()
    return {
        "machine_info": {
            "node": platform.node(),
            "processor": platform.processor(),
            "machine": platform.machine(),
            "python_implementation": platform.python_implementation(),
            "python_version": platform.python_version(),
            "system": platform.system(),
            "release": platform.release(),
            "cpu": {"count": os.cpu_count()},
        },
        "commit_info": {
            "id": "unknown",
            "time": None,
            "author_time": None,
            "dirty": None,
            "project": "wsgibench",
            "branch": "unknown",
        },
        "benchmarks": found,
        "datetime": now,
        "version": "wsgibench-" + __version__,
    }
