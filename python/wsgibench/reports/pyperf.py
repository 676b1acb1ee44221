"""In the form of pyperf (its file version 1.0), for `pyperf compare_to` and
`pyperf stats`: a run of theirs is a start of ours, its value the server CPU
of a request, or what was counted of it.
"""

from __future__ import annotations

import json
from typing import Any

from wsgibench.stats import counted, samples, summary
from wsgibench.verdicts import INVALID

HELP = "JSON that pyperf reads: compare_to, stats, hist"
KINDS = ("timed", "counted")


def _timed(cell: dict[str, Any]) -> list[float]:
    """Seconds of server CPU a request, of each start."""
    return [
        one.series("server_cpu_us").value / 1e6
        for one in samples.measured(cell).values()
    ]


def _counted(cell: dict[str, Any]) -> list[float]:
    return [one["counted"]["instructions"] for one in cell["starts"]]


def _benchmark(record: dict[str, Any], cell: dict[str, Any]) -> dict[str, Any]:
    is_counted = counted.is_counted(record)
    values = _counted(cell) if is_counted else _timed(cell)
    what = "instructions" if is_counted else "CPU"
    python = cell["python"]
    metadata = {
        "name": "%s: %s of a request" % (cell["name"], what),
        "unit": "integer" if is_counted else "second",
        "python_implementation": python["implementation"].lower(),
        "python_version": python["version"],
        "wsgibench_version": record["wsgibench"],
        "wsgibench_commit": record.get("commit", ""),
    }
    return {
        "metadata": _told(metadata),
        "runs": [{"values": [value]} for value in values],
    }


def _told(metadata: dict[str, str]) -> dict[str, str]:
    """pyperf takes no empty ones."""
    return {name: value for name, value in metadata.items() if value}


def _is_fit(record: dict[str, Any], cell: dict[str, Any]) -> bool:
    """Nothing that is no measurement leaves the house."""
    if cell.get("aa") or not cell["starts"]:
        return False
    if counted.is_counted(record):
        return True
    row = summary.row(cell)
    return bool(row["starts"]) and row["verdict"] != INVALID


def render(record: dict[str, Any]) -> str:
    from wsgibench.errors import UsageError

    found = [
        _benchmark(record, cell)
        for cell in record["cells"]
        if _is_fit(record, cell)
    ]
    if not found:
        raise UsageError("no cell of this record has a valid number.")
    machine = record["machine"]
    metadata = {
        "cpu_model_name": str(machine.get("cpu", "")),
        "platform": str(machine.get("system", "")),
        "date": record["created"][:19].replace("T", " "),
    }
    suite = {
        "benchmarks": found,
        "metadata": _told(metadata),
        "version": "1.0",
    }
    return json.dumps(suite) + "\n"
