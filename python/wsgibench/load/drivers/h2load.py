"""h2load of nghttp2, speaking HTTP/1.1: closed loop, C++."""

from __future__ import annotations

import re

from wsgibench.load.drivers import Said
from wsgibench.load.drivers._text import nanoseconds, number
from wsgibench.load.headers import header_set
from wsgibench.load.spec import LoadSpec

PROGRAM = "h2load"
CAN = {
    "duration",
    "requests",
    "headers",
    "extra_headers",
    "pipeline",
    "processes",  # its threads
    "timeout",
}
CHECKS = (
    "checks no body, keeps a sample of the times, and loses what is under "
    "way at its end"
)


def command(program: str, spec: LoadSpec) -> list[str]:
    argv = [program, "--h1", "-c", str(spec.connections)]
    argv += ["-m", str(spec.pipeline), "-t", str(spec.processes)]
    argv += ["-N", "%ds" % max(1, round(spec.timeout))]
    if spec.requests:
        argv += ["-n", str(spec.requests)]
    else:
        argv += ["-D", "%d" % max(1, round(spec.duration))]
    for name, value in [*header_set(spec.headers), *spec.extra_headers]:
        argv += ["-H", "%s: %s" % (name, value)]
    return [*argv, spec.url]


def parse(text: str, spec: LoadSpec) -> Said:
    found = re.search(r"^finished in (\S+), ([\d.]+) req/s", text, re.M)
    seconds, rate = (
        (nanoseconds(found[1]) / 1e9, float(found[2])) if found else (0.0, 0.0)
    )
    if not seconds:
        raise ValueError("no duration")
    done = int(number(r"^requests: .* (\d+) done", text))
    started = int(number(r"^requests: .* (\d+) started", text))
    errored = int(number(r"^requests: .* (\d+) errored", text))
    late = int(number(r"^requests: .* (\d+) timeout", text))
    good = int(number(r"^status codes: (\d+) 2xx", text))
    times = {}
    line = re.search(r"^time for request: +(\S+) +(\S+) +(\S+)", text, re.M)
    if line:
        times["max_ns"] = nanoseconds(line[2])
        times["mean_ns"] = nanoseconds(line[3])
    late = min(late, errored)
    left = max(0, started - done - errored)
    return Said(
        seconds=seconds,
        rate=rate,
        times=times,
        classes={
            "ok": min(good, done),
            "bad_status": max(0, done - errored - good),
            "timeout": late,
            "reset": errored - late,
            # With a duration it counts as total what it has done.
            "in_flight": left,
        },
    )
