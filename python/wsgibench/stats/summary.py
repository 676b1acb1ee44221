"""A row of numbers for each cell of a record.

The unit of replication is the process start: a cell's number is the geometric
mean over its starts, never pooled windows (Kalibera and Jones, ISMM 2013), so
that it is the middle of the interval that bootstrap.py gives and quotients of
numbers are the ratios that are tested. Percentiles come from the merged
histograms. The warm-up is in the record; here it is left out. All numbers of
a row are of the same starts (samples.starts()); requests that failed are
counted in every start.
"""

from __future__ import annotations

import statistics
from typing import Any

from wsgibench import runtimes
from wsgibench.load.hdr import Histogram
from wsgibench.stats import histogram, samples, verdict, warmup
from wsgibench.verdicts import CPU, INVALID, NUMBERS, sentence

#: What two cells must share to be held against each other.
KEYS = (
    "python",
    "scenario",
    "connections",
    "keepalive",
    "headers",
    "load_name",
    "pace",
    "path",
)

#: The server that shows what the machine and the client can do at most.
CEILING = "null"


def _mean(values: list[float]) -> float:
    """Geometric; 0 if one of them is."""
    return statistics.geometric_mean(values) if min(values) > 0 else 0.0


def _spread(values: list[float]) -> float:
    """From the least to the most, as a part of their mean."""
    return (max(values) - min(values)) / _mean(values)


def _failed(load: dict[str, Any]) -> int:
    """Requests with no right answer, but for those that the end of the load
    found under way."""
    classes = load["classes"]
    return int(load["scheduled"] - classes["ok"] - classes["in_flight"])


def _pace(load: dict[str, Any]) -> str:
    """How it was asked; equal for what may be held against each other."""
    if load.get("fraction"):
        return "%g %% of its capacity" % (100 * load["fraction"])
    rate = load.get("rate", 0.0)
    return "%g requests/s asked" % rate if rate else ""


def _rss(start: dict[str, Any]) -> float:
    return float(max((s["rss"] for s in start["usage"]), default=0))


def row(
    cell: dict[str, Any], times: Histogram | None = None
) -> dict[str, Any]:
    """`times`: what histogram.of_cell() found, when it is there already."""
    load = cell["load"]
    starts = cell["starts"]
    loads = [start["load"] for start in starts]
    blocks = samples.measured(cell)
    kept = samples.starts(cell, blocks)
    if times is None:
        times = histogram.of_cell(cell, blocks)
    judged = verdict.judge(cell, blocks, warmup.courses(kept), times)
    result: dict[str, Any] = {
        "server": cell["server"] + (" (again)" if cell.get("aa") else ""),
        "python": runtimes.name(cell["python"], starts),
        "scenario": cell["scenario"],
        "connections": load["connections"],
        "keepalive": load["keepalive"],
        "headers": load["headers"],
        "load_name": load.get("name", ""),
        "rate": load.get("rate", 0.0),
        "fraction": load.get("fraction", 0.0),
        "pace": _pace(load),
        "path": load.get("path", ""),
        "starts": len(blocks),
        "wrong_bodies": sum(one["classes"]["bad_body"] for one in loads),
        "failed": sum(map(_failed, loads)),
        # Of each number; the row's own is that of the leading one.
        "verdicts": {name: judged.of(name) for name in NUMBERS},
        "verdict": judged.of(CPU),
        "doubts": list(judged.doubts),
        "reasons": [sentence(one) for one in judged.doubts],
        "client_limited": any(
            one["code"] == "client-limited" for one in judged.doubts
        ),
        "server_cpu_share": judged.server_cpu_share,
        "label": judged.label,
    }
    audited = cell.get("audit")
    if audited:
        result["right"] = "%d of %d" % (audited["right"], audited["of"])
        if audited.get("elsewhere"):
            result["right_elsewhere"] = audited.get("date", "")
        result["worst"] = audited["worst"]
    if judged.cpu_range is not None:
        result["cpu_range"] = list(judged.cpu_range)
    if blocks:
        result.update(_numbers(kept, list(blocks.values()), times))
    return result


def _numbers(
    kept: list[dict[str, Any]],
    measured: list[samples.Windows],
    times: Histogram,
) -> dict[str, float]:
    found: dict[str, float] = {
        metric: _mean([one.series(metric).value for one in measured])
        for metric in ("goodput", "server_cpu_us", "server_cpu_us_quiet")
    }
    if len(measured) > 1:
        found["cpu_spread"] = _spread(
            [one.series("server_cpu_us").value for one in measured]
        )
    found["client_cpu_share"] = statistics.median(
        start["load"]["client_cpu_share"] for start in kept
    )
    found["rss"] = statistics.median(map(_rss, kept))
    for name, q in (("p50_ns", 0.5), ("p99_ns", 0.99), ("p99.9_ns", 0.999)):
        value = histogram.quantile(times, q)
        if value is not None:
            found[name] = value
    return found


def group(row: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(row[key] for key in KEYS)


def rows(record: dict[str, Any]) -> list[dict[str, Any]]:
    """Every cell, each with its CPU cost relative to ``null`` on the same
    interpreter under the same load."""
    result = [row(cell) for cell in record["cells"]]
    null = {
        group(r): r
        for r in result
        if r["server"] == CEILING
        and "server_cpu_us" in r
        and r["verdict"] != INVALID
    }
    for r in result:
        base = null.get(group(r))
        if base and "server_cpu_us" in r:
            r["cpu_vs_null"] = r["server_cpu_us"] / base["server_cpu_us"]
            r["verdict_of_null"] = base["verdict"]
    return sorted(
        result,
        key=lambda r: (
            *(str(value) for value in group(r)),
            r.get("server_cpu_us", float("inf")),
        ),
    )
