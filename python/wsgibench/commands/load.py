"""``python -m wsgibench load URL``: the load generator by itself."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wsgibench.errors import UsageError

if TYPE_CHECKING:
    from wsgibench.load.spec import LoadSpec

HELP = "load a URL and say what became of every request"
FOREVER = 1e6  # seconds: a run that only a count ends


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("url", help="http(s)://HOST:PORT/PATH ({seq} counts) or unix:/P|/PATH")
    _add_loop(parser.add_argument_group("the loop"))
    _add_requests(parser.add_argument_group("requests"))
    _add_expected(parser.add_argument_group("what is expected"))
    _add_client(parser.add_argument_group("this machine"))
    _add_output(parser.add_argument_group("output"))
    add("--tool", default="", help="drive this tool instead: wrk, ab, ...")


def _add_loop(group: Any) -> None:
    add = group.add_argument
    add("-c", "--connections", type=int, default=1)
    add("-d", "--duration", type=float, help="seconds (5, or until -n)")
    add("-n", "--requests", type=int, default=0, help="stop after so many")
    add("--rate", default="0", help="requests/s, or a ramp A:B; 0: closed")
    add("--arrivals", choices=["poisson", "constant"], default="poisson")
    add("--seed", type=int, default=1)
    add("--no-keepalive", action="store_true")
    add("--per-connection", type=int, default=0, help="requests on each")
    add("--pipeline", type=int, default=1, help="requests under way on each")
    add("--connect-rate", type=float, default=0.0, help="first connects/s")
    add("--sweep", default="", help="connections 1..65536 or 1,10,100")


def _add_requests(group: Any) -> None:
    add = group.add_argument
    add("--headers", default="minimal", help="minimal, browser, ... or @FILE")
    add("-H", "--header", action="append", default=[], help="Name: value")
    add("--http10", action="store_true")
    add("--method", default="GET")
    add("--body-file", type=Path, help="the request body")
    add("--chunk", type=int, default=0, help="upload in chunks of so many")
    add("--urls", default="", help="file of '[WEIGHT] [METHOD] /target'")
    add("--slow-send", default="", help="SIZE:SECONDS, 1:0.1 is slowloris")
    add("--slow-read", default="", help="SIZE:SECONDS")


def _add_expected(group: Any) -> None:
    add = group.add_argument
    add("--expect-status", type=int, default=200, help="0: any 2xx")
    add("--expect-body-file", type=Path, help="compare every body with it")
    add("--expect-length", type=int, default=-1, help="of every body")
    add("--learn", action="store_true", help="expect the body of a first GET")


def _add_client(group: Any) -> None:
    add = group.add_argument
    add("--timeout", type=float, default=5.0, help="seconds for a request")
    add("--drain", type=float, default=2.0, help="seconds for late answers")
    add("--window", type=float, default=0.1, help="seconds of a window")
    add("--source", default="", help="first source address, 127.0.0.1")
    add("--sources", type=int, default=1, help="how many consecutive ones")
    add("--processes", type=int, default=1)
    add("--cpu", default="", help="run on these CPUs: 1 or 0,2")
    add("--tls-ca", default="", help="verify the server against this file")
    add("--tls-resume", action="store_true", help="offer old sessions")


def _add_output(group: Any) -> None:
    add = group.add_argument
    add("--json", type=Path, help="write the result here")
    add("--windows", type=Path, help="write windows here, one JSON a line")
    add("--slo", default="", help="gates like p99=20ms,errors=0 (exit code 3)")
    add("-q", "--quiet", action="store_true")


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(
            "cannot read %s: %s." % (path, error.strerror)
        ) from error


def _pair(text: str, what: str) -> tuple[float, float]:
    """``A:B``; ``A`` alone leaves B 0."""
    first, _, second = text.partition(":")
    try:
        return float(first or 0), float(second or 0)
    except ValueError as error:
        raise UsageError("%r is not %s." % (text, what)) from error


def _rate(text: str) -> tuple[float, float | None]:
    """(rate, at its end); without a ramp None."""
    rate, end = _pair(text, "a rate like 1000 or 100:5000")
    return rate, end if ":" in text else None


def spec_of(arguments: argparse.Namespace) -> LoadSpec:
    from wsgibench.load.headers import parse_header
    from wsgibench.load.spec import LoadSpec

    body = arguments.body_file
    expected = arguments.expect_body_file
    rate, rate_end = _rate(arguments.rate)
    send_size, send_gap = _pair(arguments.slow_send, "SIZE:SECONDS")
    read_size, read_gap = _pair(arguments.slow_read, "SIZE:SECONDS")
    duration = arguments.duration
    if duration is None:
        if rate_end is not None:
            raise UsageError("a ramp needs its duration: -d SECONDS.")
        duration = FOREVER if arguments.requests else 5.0
    return LoadSpec(
        url=arguments.url,
        connections=arguments.connections,
        duration=duration,
        rate=rate,
        rate_end=rate_end,
        poisson=arguments.arrivals == "poisson",
        seed=arguments.seed,
        keepalive=not arguments.no_keepalive,
        per_connection=arguments.per_connection,
        pipeline=arguments.pipeline,
        requests=arguments.requests,
        connect_rate=arguments.connect_rate,
        processes=arguments.processes,
        headers=arguments.headers,
        extra_headers=tuple(map(parse_header, arguments.header)),
        http10=arguments.http10,
        method=arguments.method,
        body=_read(body) if body else b"",
        chunk=arguments.chunk,
        url_list=arguments.urls,
        send_size=round(send_size),
        send_gap=send_gap,
        read_size=round(read_size),
        read_gap=read_gap,
        expect_status=arguments.expect_status,
        expect_body=_read(expected) if expected else None,
        expect_length=arguments.expect_length,
        learn=arguments.learn,
        timeout=arguments.timeout,
        drain=arguments.drain,
        window=arguments.window,
        source=arguments.source,
        sources=arguments.sources,
        tls_ca=arguments.tls_ca,
        tls_resume=arguments.tls_resume,
    )


def _cpus(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in text.split(",") if part)
    except ValueError as error:
        raise UsageError("%r is not a list of CPUs." % text) from error


def _run_once(
    arguments: argparse.Namespace, spec: LoadSpec
) -> dict[str, Any]:
    from wsgibench.load import drivers, live, output
    from wsgibench.load.run import run as run_load

    cpus = _cpus(arguments.cpu)
    if arguments.tool:
        result = drivers.run(arguments.tool, spec, cpus)
        text = output.tool_summary(result)
    else:
        with live.following(not arguments.quiet) as on_live:
            result = run_load(spec, on_live, cpus)
        text = output.summary(result)
    if not arguments.quiet:
        print(text)
    return result


def _write(path: Path, lines: list[Any]) -> None:
    try:
        path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    except OSError as error:
        raise UsageError(
            "cannot write %s: %s." % (path, error.strerror)
        ) from error


def _sweep(arguments: argparse.Namespace, spec: LoadSpec) -> int:
    from wsgibench.load import sweep

    worst = 0
    points = []
    counts = sweep.points(arguments.sweep)
    for point in sweep.sweep(spec, counts, lambda s: _run_once(arguments, s)):
        points.append(point)
        if "skipped" in point:
            print("skipped: " + point["skipped"])
        elif point["load"]["verdict"] == "INVALID":
            worst = 1
        if arguments.json:
            # After each point: an end in the middle keeps what there is.
            record = {"schema": "wsgibench-sweep/1", "points": points}
            _write(arguments.json, [record])
    return worst


def run(arguments: argparse.Namespace) -> int:
    from wsgibench.load import slo

    spec = spec_of(arguments)
    spec.check()
    gates = slo.parse(arguments.slo) if arguments.slo else []
    if arguments.sweep:
        return _sweep(arguments, spec)
    result = _run_once(arguments, spec)
    if arguments.json:
        _write(arguments.json, [result])
    if arguments.windows:
        _write(arguments.windows, [*result["windows"], result["drain"]])
    sentences = slo.missed(gates, result) if gates else []
    for sentence in sentences:
        print("gate missed: " + sentence, file=sys.stderr)
    if sentences:
        return 3
    return 1 if result["verdict"] == "INVALID" else 0
