"""``python -m wsgibench load URL``: the load generator by itself."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

from wsgibench.errors import UsageError

HELP = "load a URL and say what became of every request"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("url", help="http://HOST:PORT/PATH ({seq} counts) or unix:/P|/TARGET")
    add("-c", "--connections", type=int, default=1)
    add("-d", "--duration", type=float, default=5.0, help="seconds")
    add("-n", "--requests", type=int, default=0, help="stop after so many")
    add("--rate", type=float, default=0.0, help="requests/s; 0: closed loop")
    add("--arrivals", choices=["poisson", "constant"], default="poisson")
    add("--seed", type=int, default=1)
    add("--no-keepalive", action="store_true")
    add("--per-connection", type=int, default=0, help="requests on each")
    add("--pipeline", type=int, default=1, help="requests under way on each")
    add("--headers", default="minimal", help="minimal, browser, cookies-4k")
    add("-H", "--header", action="append", default=[], help="Name: value")
    add("--method", default="GET")
    add("--body-file", type=Path, help="the request body")
    add("--expect-status", type=int, default=200)
    add("--expect-body-file", type=Path, help="compare every body with it")
    add("--timeout", type=float, default=5.0, help="seconds for a request")
    add("--window", type=float, default=0.1, help="seconds of a window")
    add("--source", default="", help="first source address, 127.0.0.1")
    add("--sources", type=int, default=1, help="how many consecutive ones")
    add("--cpu", type=int, help="run on this CPU")
    add("--json", type=Path, help="write the result here")
    add("--slo", help="gates like p99=20ms,errors=0 (exit code 3)")
    add("-q", "--quiet", action="store_true")


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(
            "cannot read %s: %s." % (path, error.strerror)
        ) from error


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon or not name.strip():
        raise UsageError("%r is not a header like 'Name: value'." % text)
    return name.strip(), value.strip()


def _show_live(live: dict[str, int]) -> None:
    seconds = max(live["elapsed_ns"] / 1e9, 1e-9)
    sys.stderr.write(
        "\r%6.1f s  %9d ok  %6d failed  %8.0f/s  p99 %.2f ms "
        % (
            seconds,
            live["ok"],
            live["failed"],
            live["ok"] / seconds,
            live["p99_ns"] / 1e6,
        )
    )


def run(arguments: argparse.Namespace) -> int:
    from wsgibench.load import output, slo
    from wsgibench.load.run import run as run_load
    from wsgibench.load.spec import LoadSpec

    body = arguments.body_file
    expected = arguments.expect_body_file
    spec = LoadSpec(
        url=arguments.url,
        connections=arguments.connections,
        duration=arguments.duration,
        rate=arguments.rate,
        poisson=arguments.arrivals == "poisson",
        seed=arguments.seed,
        keepalive=not arguments.no_keepalive,
        per_connection=arguments.per_connection,
        pipeline=arguments.pipeline,
        requests=arguments.requests,
        headers=arguments.headers,
        extra_headers=tuple(_header(text) for text in arguments.header),
        method=arguments.method,
        body=_read(body) if body else b"",
        expect_status=arguments.expect_status,
        expect_body=_read(expected) if expected else None,
        timeout=arguments.timeout,
        window=arguments.window,
        source=arguments.source,
        sources=arguments.sources,
    )
    if arguments.cpu is not None:
        os.sched_setaffinity(0, {arguments.cpu})
    on_tty = sys.stderr.isatty() and not arguments.quiet
    result = run_load(spec, _show_live if on_tty else None)
    if on_tty:
        sys.stderr.write("\n")
    if arguments.json:
        arguments.json.write_text(json.dumps(result) + "\n")
    if not arguments.quiet:
        print(output.summary(result, spec.rate))
    if arguments.slo:
        sentences = slo.missed(arguments.slo, result, spec.rate)
        for sentence in sentences:
            print("gate missed: " + sentence, file=sys.stderr)
        if sentences:
            return 3
    return 1 if result["verdict"] == "INVALID" else 0
