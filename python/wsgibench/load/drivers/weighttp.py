"""weighttp of lighttpd: closed loop, libev, threads; counts requests."""

from __future__ import annotations

import re

from wsgibench.load.drivers import Said
from wsgibench.load.drivers._text import number
from wsgibench.load.headers import header_set
from wsgibench.load.spec import LoadSpec

PROGRAM = "weighttp"
CAN = {
    "duration",  # a limit: it ends with its requests
    "requests",
    "keepalive",
    "headers",
    "extra_headers",
    "processes",  # its threads
}
CHECKS = "checks no body and tells no times"
#: It must be told how many; without a number, as many as are done soon.
REQUESTS = 100_000


def command(program: str, spec: LoadSpec) -> list[str]:
    argv = [program, "-n", str(spec.requests or REQUESTS)]
    argv += ["-c", str(spec.connections), "-t", str(spec.processes)]
    if spec.keepalive:
        argv.append("-k")
    for name, value in [*header_set(spec.headers), *spec.extra_headers]:
        argv += ["-H", "%s: %s" % (name, value)]
    return [*argv, spec.url]


def parse(text: str, spec: LoadSpec) -> Said:
    found = re.search(
        r"finished in (\d+) sec, (\d+) millisec and (\d+) microsec, "
        r"([\d.]+) req/s",
        text,
    )
    if found is None:
        raise ValueError("no end")
    seconds = int(found[1]) + int(found[2]) / 1e3 + int(found[3]) / 1e6
    good = int(number(r"status codes: (\d+) 2xx", text))
    total = int(number(r"^requests: (\d+) total", text))
    done = int(number(r"^requests: .* (\d+) done", text))
    failed = int(number(r"^requests: .* (\d+) failed", text))
    version = re.search(r"weighttp ([\d.]+)", text)
    return Said(
        seconds=seconds,
        rate=float(found[4]),
        version=version[1] if version else "",
        classes={
            "ok": good,
            "bad_status": max(0, done - failed - good),
            # Or a connection that ended: it does not tell them apart.
            "early_eof": failed,
            "unsent": max(0, total - done),
        },
    )
