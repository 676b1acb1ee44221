"""The page of the published benchmarks, plain and slowed down on purpose."""

from __future__ import annotations

import os
import time
from typing import Any

PAGE = b"<html><body>Hello, World!</body></html>\n"

#: Nanoseconds of a busy loop in each request: a planted loss.
BURN = "WSGIBENCH_BURN_NS"


def application(environ: Any, start_response: Any) -> list[bytes]:
    start_response(
        "200 OK",
        [("Content-Type", "text/html"), ("Content-Length", str(len(PAGE)))],
    )
    return [PAGE]


def slowed(environ: Any, start_response: Any) -> list[bytes]:
    until = time.perf_counter_ns() + _burn()
    while time.perf_counter_ns() < until:
        pass
    return application(environ, start_response)


def _burn() -> int:
    global _nanoseconds
    if _nanoseconds is None:
        _nanoseconds = int(os.environ.get(BURN, "0"))
    return _nanoseconds


_nanoseconds: int | None = None
