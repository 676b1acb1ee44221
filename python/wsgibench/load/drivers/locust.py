"""Locust, headless, on one process: greenlets, closed loop. Found on the PATH,
or installed into an environment of its own at its first use."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from urllib.parse import urlsplit

from wsgibench import cache
from wsgibench.errors import WsgibenchError
from wsgibench.load.drivers import Said
from wsgibench.load.headers import header_set
from wsgibench.load.spec import LoadSpec

PROGRAM = "locust"
CAN = {"duration", "keepalive", "headers", "extra_headers", "timeout"}
CHECKS = (
    "is a greenlet for each connection in one Python process, checks no body, "
    "and rounds times to two digits"
)
FILE = Path(__file__).with_name("_locustfile.py")


def program() -> str:
    """Its path; WsgibenchError if it cannot be installed."""
    on_path = shutil.which(PROGRAM)
    if on_path:
        return on_path
    folder = cache.directory() / "tools" / "locust"
    made = folder / "bin" / "locust"
    if not made.exists():
        cache.make(folder)
        for command in (
            [sys.executable, "-m", "venv", str(folder)],
            [str(folder / "bin" / "python"), "-m", "pip", "install", "-q"]
            + ["--disable-pip-version-check", "locust"],
        ):
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode:
                words = done.stderr.strip().splitlines() or ["no message"]
                raise WsgibenchError(
                    "installing Locust failed: %s" % words[-1]
                )
    return str(made)


def command(program: str, spec: LoadSpec) -> list[str]:
    parts = urlsplit(spec.url)
    headers = dict([*header_set(spec.headers), *spec.extra_headers])
    if not spec.keepalive:
        headers["Connection"] = "close"
    asked = {
        "path": (parts.path or "/") + (parts.query and "?" + parts.query),
        "headers": headers,
        "timeout": spec.timeout,
    }
    argv = ["env", "WSGIBENCH_LOCUST=" + json.dumps(asked), program]
    argv += ["-f", str(FILE), "--headless", "--skip-log", "--json"]
    argv += ["--host", "%s://%s" % (parts.scheme, parts.netloc)]
    argv += ["-u", str(spec.connections), "-r", str(spec.connections)]
    return [*argv, "--run-time", "%ds" % max(1, round(spec.duration))]


def parse(text: str, spec: LoadSpec) -> Said:
    (found,) = json.loads(text[text.index("[") : text.rindex("]") + 1])
    seconds = found["last_request_timestamp"] - found["start_time"]
    count, failed = found["num_requests"], found["num_failures"]
    if not count or seconds <= 0:
        raise ValueError("no request")
    times = Counter({float(k): v for k, v in found["response_times"].items()})
    said = {
        "mean_ns": found["total_response_time"] / count * 1e6,
        "max_ns": found["max_response_time"] * 1e6,
    }
    for percent in (50, 75, 90, 95, 99):
        said["p%d_ns" % percent] = _percentile(times, percent) * 1e6
    return Said(
        seconds=seconds,
        rate=count / seconds,
        times=said,
        classes={
            "ok": count - failed,
            # Or a connection that ended: its table does not tell them apart.
            "bad_status": failed,
        },
    )


def _percentile(times: Counter[float], percent: float) -> float:
    """Milliseconds."""
    wanted = sum(times.values()) * percent / 100
    seen = 0
    for value in sorted(times):
        seen += times[value]
        if seen >= wanted:
            return value
    return 0.0
