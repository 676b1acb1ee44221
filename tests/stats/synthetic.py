"""Records made up from known truth."""

from __future__ import annotations

from typing import Any

import numpy as np

from wsgibench.load.hdr import Histogram
from wsgibench.load.tail import described

WINDOW = 100_000_000  # ns
FAILURES = [
    *("bad_status", "bad_body", "refused", "connect_timeout", "reset"),
    *("early_eof", "parse_error", "timeout", "unsent", "in_flight"),
]


def times(places: dict[int, int] | None = None) -> dict[str, Any]:
    found = Histogram()
    found.places = dict(places or {})
    return described(found)


def share(places: dict[int, int], index: int, count: int) -> str:
    """The index-th of `count` histograms that sum up to these places."""
    part = Histogram()
    for place, n in places.items():
        own = n * (index + 1) // count - n * index // count
        if own:
            part.places[place] = own
    return part.encode()


def start(
    ok: Any,
    cpu_us: Any,
    *,
    block: int = 0,
    connections: int = 64,
    service: dict[int, int] | None = None,
    client_share: float = 0.3,
) -> dict[str, Any]:
    """One start, from what each of its windows counted and used."""
    ok = np.asarray(ok).astype(int)
    origin = 5_000_000_000 + block
    total = int(ok.sum())
    whole = times(service or {5000: total})
    places = Histogram.decode(whole["hdr"]).places
    used = np.concatenate(([0.0], np.cumsum(np.asarray(cpu_us) * 1e3)))
    windows = [
        {
            "start_ns": i * WINDOW,
            "end_ns": (i + 1) * WINDOW,
            "ok": int(count),
            "failed": 0,
            "p50_ns": 500_000,
            "p99_ns": 900_000,
            "max_ns": 1_000_000,
            # All that the cell saw, spread over its windows.
            "service": share(places, i, len(ok)),
        }
        for i, count in enumerate(ok)
    ]
    return {
        "start": block,
        "seed": block,
        "cpus": {"server": 0, "client": 1},
        "target": {"settings": {}, "pid": 1, "observed": {}},
        "start_seconds": 0.1,
        "services": {},
        "usage": [
            {
                "time_ns": origin + i * WINDOW,
                "cpu_ns": float(value),
                "rss": 10 << 20,
                "switches": i,
            }
            for i, value in enumerate(used)
        ],
        "load": {
            "start_ns": origin,
            "duration_ns": len(ok) * WINDOW,
            "duration_s": len(ok) / 10,
            "window_ns": WINDOW,
            "interrupted": False,
            "cpu_ns": int(client_share * len(ok) * WINDOW),
            "client_cpu_share": client_share,
            "client_cpu_us_per_request": 5.0,
            "scheduled": total,
            "classes": {"ok": total, **dict.fromkeys(FAILURES, 0)},
            "connections": {"asked": connections, "ever_answered": 64},
            "service": whole,
            "response": times(),
            "connect": times(),
            "first_byte": times(),
            "lag": times(),
            "censored": times(),
            "windows": windows,
            "goodput": total / (len(ok) / 10),
            "kernel": {},
            "verdict": "VALID",
            "reasons": [],
            "doubts": [],
        },
    }


def windows_of(
    rng: np.random.Generator,
    cost: float,
    *,
    windows: int = 40,
    between: float = 0.02,
    within: float = 0.03,
    steady: float = 0.0,
    disturbed: float = 0.0,
) -> tuple[Any, Any]:
    """(ok, cpu_us) of a start that costs `cost` us a request, times a factor
    of its own, times one of each window; neighbours are alike by `steady`.
    A start is `disturbed` with that probability: from some window to
    another its requests cost a quarter more, as beside a busy neighbour."""
    own = cost * np.exp(rng.normal(0, between))
    wobble = rng.normal(0, within, windows)
    for i in range(1, windows):
        fresh = np.sqrt(1 - steady**2) * wobble[i]
        wobble[i] = steady * wobble[i - 1] + fresh
    if disturbed and rng.random() < disturbed:
        begin, end = sorted(rng.integers(0, windows + 1, 2))
        wobble[begin:end] += np.log(1.25)
    used = np.full(windows, 80_000.0)  # us of each 100 ms
    return np.rint(used / (own * np.exp(wobble))), used


def cell(
    server: str, starts: list[dict[str, Any]], **more: Any
) -> dict[str, Any]:
    load = {
        "connections": 64,
        "duration": 4.0,
        "warmup": 0.0,
        "keepalive": True,
        "headers": "browser",
        "rate": 0.0,
        "requests": 0,
        "discard": 0,
        "path": "",
        "name": "",
    }
    load.update(more.pop("load", {}))
    python = {
        "name": "python3",
        "path": "/usr/bin/python3",
        "implementation": "CPython",
        "version": "3.11.7",
    }
    python.update(more.pop("python", {}))
    return {
        "name": "%s on python3, hello, 64 connections" % server,
        "server": server,
        "python": python,
        "scenario": "hello",
        "load": load,
        "versions": {},
        "starts": starts,
        **more,
    }


def record(cells: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    return {
        "schema": "wsgibench-record/3",
        "wsgibench": "0.1.0",
        "created": "2026-01-01T00:00:00+00:00",
        "argv": ["run"],
        "seed": 1,
        "machine": {
            "cpu": "synthetic",
            "cpus": [0, 1],
            "memory": "1 kB",
            "kernel": "0",
            "system": "none",
            "load": [0.0, 0.0, 0.0],
        },
        "cells": cells,
        "failures": [],
        "skipped": [],
        "complete": True,
        **more,
    }


def race(
    costs: dict[str, float], *, seed: int, starts: int = 5, **noise: Any
) -> dict[str, Any]:
    """A record of servers with these true costs (us per request)."""
    rng = np.random.default_rng(seed)
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in costs}
    for block in range(starts):
        for name, cost in costs.items():
            ok, used = windows_of(rng, cost, **noise)
            found[name].append(start(ok, used, block=block))
    return record([cell(name, made) for name, made in found.items()])


def waits(cost: float, wait: float, seed: int) -> dict[str, Any]:
    """A record of a server of which every start has a cost of its own, but
    waits the same (us per request)."""
    rng = np.random.default_rng(seed)
    starts = []
    for block in range(10):
        own = cost * np.exp(rng.normal(0, 0.04))
        ok = np.full(40, round(1e5 / (own + wait)))
        used = np.full(40, 1e5 * own / (own + wait))
        starts.append(start(ok, used, block=block))
    return record([cell("c-uv", starts)])
