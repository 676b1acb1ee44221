"""A WSGI application behind a server in this process, and its client outside
of it: what is taken is the CPU time of this process alone.

    python run_benchmark.py -o hello.json
    pyperformance run --manifest benchmarks/pyperformance/MANIFEST
"""

from __future__ import annotations

import subprocess
import sys
import time
from typing import Any, Callable

import pyperf

import wsgibench

PAGE = b"<html><body>Hello, World!</body></html>\n"


def application(
    environ: dict[str, Any], start_response: Callable[..., Any]
) -> list[bytes]:
    headers = [("Content-Type", "text/html")]
    start_response("200 OK", [*headers, ("Content-Length", str(len(PAGE)))])
    return [PAGE]


def serve(loops: int) -> float:
    """Seconds of CPU for so many requests, on 8 connections."""
    with wsgibench.Server(application, port=0) as server:
        command = [sys.executable, "-m", "wsgibench", "load", server.url]
        command += ["-c", str(min(8, loops)), "-n", str(loops), "-q"]
        before = time.process_time()
        subprocess.run(command, check=True)
        return time.process_time() - before


if __name__ == "__main__":
    runner = pyperf.Runner()
    runner.metadata["description"] = "a WSGI request, client outside"
    runner.bench_time_func("wsgi_hello", serve)
