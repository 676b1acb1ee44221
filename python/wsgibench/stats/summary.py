"""A row of numbers for each cell of a record.

The unit of replication is the process start: a cell's number is the median
over its starts, never pooled windows (Kalibera and Jones, ISMM 2013). The
warm-up is in the record; here it is left out by the time the run was asked
to leave out.
"""

from __future__ import annotations

import statistics
from typing import Any

from wsgibench.stats.timeline import cpu_at


def measured_windows(
    start: dict[str, Any], asked: dict[str, Any]
) -> list[dict[str, Any]]:
    """Those behind the warm-up, which is a time or, where a published
    benchmark threw away its first requests, a number of them. Of a run that
    made fewer requests than were asked for, the same share is left out."""
    windows: list[dict[str, Any]] = start["load"]["windows"]
    discard = asked.get("discard", 0)
    if not discard:
        begin = asked["warmup"] * 1e9 - 1
        return [window for window in windows if window["start_ns"] >= begin]
    total = sum(window["ok"] for window in windows)
    left = discard * min(1.0, total / max(1, asked["requests"]))
    kept = []
    for window in windows:
        if left <= 0:
            kept.append(window)
        left -= window["ok"]
    return kept


def start_numbers(
    start: dict[str, Any], asked: dict[str, Any]
) -> dict[str, float]:
    """Goodput (1/s), server CPU (us per request), RSS (octets) and times
    (ns) of one start, after the warm-up."""
    load = start["load"]
    windows = measured_windows(start, asked)
    ok = sum(window["ok"] for window in windows)
    if not windows or not ok:
        return {}
    begin, end = windows[0]["start_ns"], windows[-1]["end_ns"]
    samples = start["usage"]
    origin = load["start_ns"]
    cpu = cpu_at(samples, origin + end) - cpu_at(samples, origin + begin)
    times = load["response"] if load["response"]["count"] else load["service"]
    return {
        "goodput": ok / ((end - begin) / 1e9),
        "server_cpu_us": cpu / 1e3 / ok,
        "client_cpu_share": load["client_cpu_share"],
        "rss": float(max(sample["rss"] for sample in samples)),
        "p50_ns": float(times["p50_ns"]),
        "p99_ns": float(times["p99_ns"]),
    }


def _worst(verdicts: list[str]) -> str:
    for verdict in ("INVALID", "SUSPECT"):
        if verdict in verdicts:
            return verdict
    return "VALID" if verdicts else "INVALID"


def row(cell: dict[str, Any]) -> dict[str, Any]:
    starts = [start_numbers(start, cell["load"]) for start in cell["starts"]]
    starts = [numbers for numbers in starts if numbers]
    loads = [start["load"] for start in cell["starts"]]
    result: dict[str, Any] = {
        "server": cell["server"],
        "python": "%s %s"
        % (cell["python"]["implementation"], cell["python"]["version"]),
        "scenario": cell["scenario"],
        "connections": cell["load"]["connections"],
        "keepalive": cell["load"]["keepalive"],
        "headers": cell["load"]["headers"],
        "load_name": cell["load"].get("name", ""),
        "starts": len(starts),
        "wrong_bodies": sum(load["classes"]["bad_body"] for load in loads),
        "failed": sum(
            load["scheduled"] - load["classes"]["ok"] for load in loads
        ),
        "verdict": _worst([load["verdict"] for load in loads]),
        "reasons": sorted({r for load in loads for r in load["reasons"]}),
    }
    for name in starts[0] if starts else ():
        result[name] = statistics.median(n[name] for n in starts)
    return result


def rows(record: dict[str, Any]) -> list[dict[str, Any]]:
    """Every cell, each with its CPU cost relative to ``null`` on the same
    interpreter under the same load."""
    result = [row(cell) for cell in record["cells"]]
    keys = ("python", "scenario", "connections", "keepalive", "headers")
    null = {
        tuple(r[key] for key in keys): r["server_cpu_us"]
        for r in result
        if r["server"] == "null" and "server_cpu_us" in r
    }
    for r in result:
        base = null.get(tuple(r[key] for key in keys))
        if base and "server_cpu_us" in r:
            r["cpu_vs_null"] = r["server_cpu_us"] / base
    return sorted(
        result,
        key=lambda r: (
            *(str(r[key]) for key in keys),
            r.get("server_cpu_us", float("inf")),
        ),
    )
