"""httperf (https://github.com/httperf/httperf): open loop of connections."""

from __future__ import annotations

from urllib.parse import urlsplit

from wsgibench.errors import UsageError
from wsgibench.load.drivers import Said
from wsgibench.load.drivers._text import count, number
from wsgibench.load.headers import header_set
from wsgibench.load.spec import LoadSpec

PROGRAM = "httperf"
CAN = {
    "requests",
    "duration",
    "rate",
    "keepalive",
    "per_connection",
    "headers",
    "extra_headers",
    "method",
    "timeout",
}
CHECKS = (
    "checks no body, opens connections and not requests at a rate, and tells "
    "no percentile but the median of connections"
)


def command(program: str, spec: LoadSpec) -> list[str]:
    if not spec.requests:
        raise UsageError("httperf needs a number of requests (-n).")
    if spec.connections != 1:
        raise UsageError(
            "httperf has no fixed number of connections: leave -c out, and "
            "give --rate for more than one at a time."
        )
    calls = spec.per_connection or (1 if not spec.keepalive else spec.requests)
    parts = urlsplit(spec.url)
    argv = [program, "--hog", "--server=" + (parts.hostname or "")]
    argv += ["--port=%d" % (parts.port or 80), "--uri=" + (parts.path or "/")]
    argv += ["--num-calls=%d" % calls]
    argv += ["--num-conns=%d" % max(1, spec.requests // calls)]
    argv += ["--timeout=%g" % spec.timeout, "--method=" + spec.method]
    if spec.rate:
        argv.append("--rate=%g" % (spec.rate / calls))
    for name, value in [*header_set(spec.headers), *spec.extra_headers]:
        argv.append("--add-header=%s: %s\\n" % (name, value))
    return argv


def parse(text: str, spec: LoadSpec) -> Said:
    status = r"^Reply status: .*%s=(\d+)"
    good = count(status % "2xx", text)
    bad = sum(count(status % kind, text) for kind in ("3xx", "4xx", "5xx"))
    asked = int(number(r"^Total: .* requests (\d+)", text))
    late = count(r"^Errors: total \d+ client-timo (\d+)", text)
    reset = count(r"^Errors: .* connreset (\d+)", text)
    refused = count(r"^Errors: .* connrefused (\d+)", text)
    left = max(0, asked - good - bad - late - reset)
    return Said(
        seconds=number(r"test-duration ([\d.]+) s", text),
        rate=number(r"^Request rate: ([\d.]+) req/s", text),
        times={
            "mean_ns": 1e6
            * number(r"^Reply time \[ms\]: response ([\d.]+)", text)
        },
        classes={
            "ok": good,
            "bad_status": bad,
            "timeout": late,
            "reset": reset,
            "refused": refused,
            "in_flight": left,
        },
    )
