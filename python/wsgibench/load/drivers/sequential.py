"""One request after another, a new connection for each: what httperf does
without a rate, and what the survey of servers under PyPy did. Our own
generator does it, and checks every answer."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from wsgibench.load.spec import LoadSpec


def run(spec: LoadSpec, cpus: tuple[int, ...]) -> dict[str, Any]:
    from wsgibench.load.run import run as run_load

    one = replace(
        spec,
        connections=1,
        processes=1,
        pipeline=1,
        keepalive=False,
        per_connection=1,
        rate=0.0,
    )
    result = run_load(one, None, cpus)
    result["tool"] = "sequential"
    return result
