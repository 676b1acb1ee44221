"""Running the generator in this process."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from wsgibench import native
from wsgibench.load import kernel
from wsgibench.load.spec import LoadSpec
from wsgibench.load.verdict import judge

SCHEMA = "wsgibench-load/1"


def run(
    spec: LoadSpec,
    on_live: Callable[[dict[str, int]], None] | None = None,
) -> dict[str, Any]:
    """The result of one run (docs/load.md tells its fields).

    KeyboardInterrupt ends the run early; the result then says so.
    """
    before = kernel.snapshot()
    generator = native.binding().LoadGenerator(
        spec.render(), spec.expect_body or b"", **spec.settings()
    )
    try:
        running = True
        while running:
            try:
                running = generator.poll(0.2)
                if on_live is not None:
                    on_live(generator.live())
            except KeyboardInterrupt:
                generator.stop()
        result: dict[str, Any] = json.loads(generator.result())
    finally:
        generator.close()
    return complete(result, spec, kernel.difference(before, kernel.snapshot()))


def complete(
    result: dict[str, Any], spec: LoadSpec, counters: dict[str, int]
) -> dict[str, Any]:
    """Adds what follows from the generator's own numbers."""
    seconds = result["duration_ns"] / 1e9
    ok = result["classes"]["ok"]
    result["schema"] = SCHEMA
    result["tool"] = "wsgibench"
    result["url"] = spec.url
    result["duration_s"] = seconds
    result["goodput"] = ok / seconds if seconds else 0.0
    result["client_cpu_us_per_request"] = result["cpu_ns"] / 1e3 / max(1, ok)
    result["client_cpu_share"] = result["cpu_ns"] / max(
        1, result["duration_ns"]
    )
    result["kernel"] = counters
    result["verdict"], result["reasons"] = judge(result, spec.rate)
    if sum(result["classes"].values()) != result["scheduled"]:
        result["verdict"] = "INVALID"
        result["reasons"].insert(0, "the classes do not sum to the schedule")
    return result
