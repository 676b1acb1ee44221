"""What workers report, merged into one load record. No Locust here.

Each report holds the whole run of its worker so far, so the last one counts:
a report that is lost or comes twice changes nothing.
"""

from __future__ import annotations

import json
import time
import zlib
from dataclasses import replace
from typing import Any

from wsgibench.errors import WsgibenchError
from wsgibench.load import merge, wire, worker_doubts
from wsgibench.load.run import complete, name_routes
from wsgibench.load.spec import LoadSpec
from wsgibench.verdicts import summary

MOST_BYTES = 1 << 26  # of one report, unpacked


def part(spec: LoadSpec) -> dict[str, Any]:
    return {
        "spec": wire.to_json(spec),
        "raw": None,
        "watch": {},
        "error": "",
    }


def failed(error: str) -> dict[str, Any]:
    return {"spec": None, "raw": None, "watch": {}, "error": error}


def packed(parts: list[dict[str, Any]]) -> bytes:
    return zlib.compress(json.dumps(parts).encode("utf-8"), 1)


def unpacked(data: bytes) -> list[dict[str, Any]]:
    machine = zlib.decompressobj()
    text = machine.decompress(data, MOST_BYTES)
    if machine.unconsumed_tail:
        raise WsgibenchError("a worker's report is too large.")
    parts: list[dict[str, Any]] = json.loads(text)
    return parts


class Worker:
    """One, as the master knows it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.host = ""
        self.parts: list[dict[str, Any]] = []
        self.reports = 0
        self.is_final = False  # it has nothing to add
        self.clock_ns: int | None = None  # the least of received - sent
        self.missing: list[list[float]] = []  # wall times: from, to
        self.lost = ""  # why it did not end with the others

    def report(self, data: dict[str, Any], load: str | None = None) -> None:
        """``load``: of this class of users only."""
        self.reports += 1
        self.host = str(data["host"])
        self.is_final = bool(data.get("final"))
        late = time.time_ns() - int(data["sent_ns"])
        if self.clock_ns is None or late < self.clock_ns:
            self.clock_ns = late
        self.parts = [
            one
            for name, parts in data["loads"].items()
            if load in (None, name)
            for one in unpacked(parts)
        ]

    def is_away(self, now: float) -> None:
        """No heartbeat came: called again as long as that is so."""
        if self.missing and now - self.missing[-1][1] < 3:
            self.missing[-1][1] = now
        else:
            self.missing.append([now, now])

    def raws(self) -> list[dict[str, Any]]:
        """Merging changes what it is given: copies."""
        return [
            json.loads(json.dumps(one["raw"]))
            for one in self.parts
            if one["raw"]
        ]

    def summary(self) -> dict[str, Any]:
        raws = [one["raw"] for one in self.parts if one["raw"]]
        watches = [one["watch"] for one in self.parts if one["raw"]]
        seconds = sum(raw["duration_ns"] for raw in raws) / 1e9
        busy = sum(raw["cpu_ns"] - raw["spin_ns"] for raw in raws) / 1e9
        wait = sum(watch.get("wait_ns", 0) for watch in watches) / 1e9
        steal = sum(watch.get("steal_ticks", 0) for watch in watches) / 100
        return {
            "name": self.name,
            "host": self.host,
            "classes": {
                name: sum(raw["classes"][name] for raw in raws)
                for name in (raws[0]["classes"] if raws else ())
            },
            "scheduled": sum(raw["scheduled"] for raw in raws),
            "seconds": seconds,
            "cpu_share": busy / seconds if seconds else 0.0,
            "wait_share": wait / seconds if seconds else 0.0,
            "steal_share": steal / seconds if seconds else 0.0,
            "lag_p99_ns": max(
                (_lag(raw) for raw in raws),
                default=0,
            ),
            "clock_ns": self.clock_ns,
            "reports": self.reports,
            "missing": self.missing,
            "lost": self.lost,
            "errors": [one["error"] for one in self.parts if one["error"]],
        }


def _lag(raw: dict[str, Any]) -> int:
    from wsgibench.load.hdr import Histogram

    return Histogram.from_pairs(raw["lag"]["places"]).quantile(0.99)


def merged(
    workers: list[Worker], spec: LoadSpec | None = None
) -> dict[str, Any]:
    """The load record of all; WsgibenchError when none reported. Without a
    spec the workers' own is taken."""
    raws = [raw for worker in workers for raw in worker.raws()]
    if not raws:
        reasons = [
            one["error"]
            for worker in workers
            for one in worker.parts
            if one["error"]
        ]
        raise WsgibenchError(
            "no worker reported a load%s"
            % (": " + reasons[0] if reasons else ".")
        )
    if spec is None:
        told = next(
            one for worker in workers for one in worker.parts if one["spec"]
        )
        spec = wire.from_json(told["spec"])
        asked = sum(raw["connections"]["asked"] for raw in raws)
        seconds = max(raw["duration_ns"] for raw in raws) / 1e9
        for raw in raws:
            raw["interrupted"] = False  # it ends with its users
        spec = replace(
            spec, connections=max(1, asked), duration=max(seconds, 1e-3)
        )
    # A worker that was lost had requests under way: they are in no class.
    for raw in raws:
        under_way = raw["scheduled"] - sum(raw["classes"].values())
        raw["classes"]["in_flight"] += under_way
        raw["drain"]["classes"]["in_flight"] += under_way
    result = merge.merged([merge.histograms(raw) for raw in raws])
    watches = [one["watch"] for worker in workers for one in worker.parts]
    name_routes(result, next(w["routes"] for w in watches if w))
    result = complete(result, replace(spec, processes=len(raws)), {})
    result["workers"] = [worker.summary() for worker in workers]
    result["doubts"] = [
        one
        for worker in result["workers"]
        for one in worker_doubts.find(worker, spec.open_loop)
    ] + result["doubts"]
    result["verdict"], result["reasons"] = summary(result["doubts"])
    return result
