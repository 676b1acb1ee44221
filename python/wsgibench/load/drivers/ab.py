"""ab, ApacheBench: closed loop, HTTP/1.0."""

from __future__ import annotations

import re

from wsgibench.load.drivers import Said
from wsgibench.load.drivers._text import count, number
from wsgibench.load.headers import header_set
from wsgibench.load.spec import LoadSpec

PROGRAM = "ab"
CAN = {
    "duration",
    "requests",
    "keepalive",
    "headers",
    "extra_headers",
    "http10",
    "timeout",
}
CHECKS = (
    "speaks HTTP/1.0, checks only that lengths are equal, writes whole "
    "milliseconds, and measures from when it sent"
)
MOST_PER_SECOND = 200_000
PERCENTS = ("50", "66", "75", "80", "90", "95", "98", "99")


def command(program: str, spec: LoadSpec) -> list[str]:
    argv = [program, "-q", "-l", "-c", str(spec.connections)]
    argv += ["-s", str(max(1, round(spec.timeout)))]
    if spec.requests:
        argv += ["-n", str(spec.requests)]
    else:
        # -t alone stops at 50,000 requests, and -n takes 32 bytes for each.
        seconds = max(1, round(spec.duration))
        argv += ["-t", str(seconds), "-n", str(seconds * MOST_PER_SECOND)]
    if spec.keepalive:
        argv.append("-k")
    for name, value in [*header_set(spec.headers), *spec.extra_headers]:
        argv += ["-H", "%s: %s" % (name, value)]
    return [*argv, spec.url]


def parse(text: str, spec: LoadSpec) -> Said:
    done = int(number(r"Complete requests: +(\d+)", text))
    failed = count(r"Failed requests: +(\d+)", text)
    bad = count(r"Non-2xx responses: +(\d+)", text)
    version = re.search(r"Version ([\d.]+)", text)
    refused = count(r"\(Connect: (\d+)", text)
    wrong = count(r"Length: (\d+)", text)
    times = {"mean_ns": number(r"^Total: +\d+ +([\d.]+)", text, 0) * 1e6}
    for percent in PERCENTS:
        found = re.search(r"^ +%s%% +(\d+)" % percent, text, re.MULTILINE)
        if found:
            times["p%s_ns" % percent] = int(found[1]) * 1e6
    longest = re.search(r"^ +100% +(\d+)", text, re.MULTILINE)
    if longest:
        times["max_ns"] = int(longest[1]) * 1e6
    return Said(
        seconds=number(r"Time taken for tests: +([\d.]+)", text),
        rate=number(r"Requests per second: +([\d.]+)", text),
        version=version[1] if version else "",
        times=times,
        classes={
            "ok": done - failed - bad,
            "bad_status": bad,
            "bad_body": wrong,
            "refused": refused,
            "early_eof": failed - wrong - refused,
        },
    )
