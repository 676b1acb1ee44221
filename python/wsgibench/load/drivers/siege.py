"""siege (https://www.joedog.org): threads, closed loop."""

from __future__ import annotations

import json

from wsgibench.load.drivers import Said
from wsgibench.load.headers import header_set
from wsgibench.load.spec import LoadSpec

PROGRAM = "siege"
CAN = {
    "duration",
    "requests",
    "keepalive",
    "headers",
    "extra_headers",
    "timeout",
}
CHECKS = (
    "is a thread for each connection, checks no body, tells no percentile "
    "and not what failed, and writes tens of milliseconds"
)


def command(program: str, spec: LoadSpec) -> list[str]:
    argv = [program, "--benchmark", "--json-output", "--quiet"]
    argv += ["--no-parser", "--no-follow"]
    argv += ["--concurrent=%d" % spec.connections]
    if spec.requests:
        argv.append("--reps=%d" % -(-spec.requests // spec.connections))
    else:
        argv.append("--time=%dS" % max(1, round(spec.duration)))
    headers = [*header_set(spec.headers), *spec.extra_headers]
    # Its default is to close, whatever its configuration file says.
    headers.append(("Connection", "keep-alive" if spec.keepalive else "close"))
    for name, value in headers:
        argv.append("--header=%s: %s" % (name, value))
    return [*argv, spec.url]


def parse(text: str, spec: LoadSpec) -> Said:
    report = json.loads(text[text.rindex("{") : text.rindex("}") + 1])
    return Said(
        seconds=float(report["elapsed_time"]),
        rate=float(report["transaction_rate"]),
        times={
            "mean_ns": float(report["response_time"]) * 1e9,
            "max_ns": float(report["longest_transaction"]) * 1e9,
        },
        classes={
            "ok": int(report["transactions"]),
            # Or lost connections: it does not tell them apart.
            "bad_status": int(report["failed_transactions"]),
        },
    )
