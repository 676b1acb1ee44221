"""wrk (https://github.com/wg/wrk): closed loop, C."""

from __future__ import annotations

import re

from wsgibench.load.drivers import Said
from wsgibench.load.drivers._text import count, nanoseconds, number
from wsgibench.load.headers import header_set
from wsgibench.load.spec import LoadSpec

PROGRAM = "wrk"
CAN = {
    "duration",
    "keepalive",
    "headers",
    "extra_headers",
    "timeout",
    "processes",  # its threads
}
CHECKS = (
    "checks no body, leaves out what was never answered, and measures from "
    "when it sent"
)


def command(program: str, spec: LoadSpec) -> list[str]:
    argv = [program, "--latency", "-t%d" % spec.processes]
    argv += ["-c%d" % spec.connections, "-d%ds" % max(1, round(spec.duration))]
    argv += ["--timeout", "%ds" % max(1, round(spec.timeout))]
    headers = [*header_set(spec.headers), *spec.extra_headers]
    if not spec.keepalive:
        headers.append(("Connection", "close"))
    for name, value in headers:
        argv += ["-H", "%s: %s" % (name, value)]
    return [*argv, spec.url]


def parse(text: str, spec: LoadSpec) -> Said:
    requests = count(r"(\d+) requests in", text)
    match = re.search(r"requests in ([\d.]+\w+),", text)
    seconds = nanoseconds(match[1] if match else "") / 1e9
    bad = count(r"Non-2xx or 3xx responses: (\d+)", text)
    times = {}
    for percent in ("50", "75", "90", "99"):
        found = re.search(r"^ +%s%% +(\S+)" % percent, text, re.MULTILINE)
        if found:
            times["p%s_ns" % percent] = nanoseconds(found[1])
    latency = re.search(r"Latency +(\S+) +\S+ +(\S+)", text)
    if latency:
        times["mean_ns"] = nanoseconds(latency[1])
        times["max_ns"] = nanoseconds(latency[2])
    return Said(
        seconds=seconds,
        rate=number(r"Requests/sec: +([\d.]+)", text),
        times=times,
        classes={
            "ok": requests - bad,
            "bad_status": bad,
            "refused": count(r"Socket errors: connect (\d+)", text),
            # It counts failed reads and writes, not requests.
            "reset": count(r"Socket errors:.* read (\d+)", text)
            + count(r"Socket errors:.* write (\d+)", text),
            "timeout": count(r"Socket errors:.* timeout (\d+)", text),
        },
    )
