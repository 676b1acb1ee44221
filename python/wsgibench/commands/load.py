"""``python -m wsgibench load URL``: the load generator by itself."""

from __future__ import annotations

import argparse
import contextlib
import re
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wsgibench.commands import _workers
from wsgibench.errors import UsageError, WsgibenchError

if TYPE_CHECKING:
    from wsgibench.load.slo import Gate
    from wsgibench.load.spec import LoadSpec, Stage

HELP = "load a URL and say what became of every request"
EPILOG = """\
templates in URLs, headers and bodies: {seq} {random:N} {number:A-B} {uuid}
{address} {pick:FILE} {visitor:FILE} {user:FIELD}; see docs/load.md.
times: 10, 10s, 1.5m, 200ms. exit codes: 0 done, 1 no measurement, 2 wrong
use, 3 a gate was missed.
"""
FOREVER = 1e6  # seconds: a run that only a count ends


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EPILOG
    add = parser.add_argument
    add("url", help="http(s)://HOST:PORT/PATH or unix:/SOCKET|/PATH")
    _add_loop(parser.add_argument_group("the loop"))
    _add_requests(parser.add_argument_group("requests"))
    _add_expected(parser.add_argument_group("what is expected"))
    _add_where(parser.add_argument_group("where to"))
    _add_client(parser.add_argument_group("this machine"))
    _add_output(parser.add_argument_group("output"))
    # Of the harness (harness/steady.py): a descriptor.
    add("--steered-by", type=int, default=-1, help=argparse.SUPPRESS)
    add("--tool", default="", help="drive this tool instead: wrk, ab, ...")


def _add_loop(group: Any) -> None:
    add = group.add_argument
    add("-c", "--connections", type=int, default=1, help="at once")
    add("-d", "--duration", "-z", help="a time (5s, or until -n)")
    add("-n", "--requests", type=int, default=0, help="stop after so many")
    add(
        *("-R", "--rate", "--qps"),
        default="0",
        help="requests/s, or a ramp A:B; 0: closed loop",
    )
    add("--stages", default="", help="10s:100,60s:500: evenly to each rate")
    add("--steps", default="", help="10s:100,60s:500: each rate so long")
    add(
        "--arrivals",
        choices=["poisson", "constant"],
        default="poisson",
        help="of the open loop",
    )
    add("--think", default="", help="closed loop: a time, or LEAST:MOST")
    add("--seed", type=int, default=1, help="of all that is random")
    add(
        *("--no-keepalive", "--disable-keepalive"),
        action="store_true",
        help="a connection for each request",
    )
    add("--per-connection", type=int, default=0, help="requests on each")
    add("--pipeline", type=int, default=1, help="requests under way on each")
    add("--connect-rate", type=float, default=0.0, help="first connects/s")
    add("--sweep", default="", help="connections 1..65536 or 1,10,100")


def _add_requests(group: Any) -> None:
    add = group.add_argument
    add(
        "--headers",
        default="minimal",
        help="minimal, browser, proxied, users, cookies-4k or @FILE",
    )
    add("-H", "--header", action="append", default=[], help="Name: value")
    add("--http10", action="store_true", help="ask in HTTP/1.0")
    add("-m", "--method", help="GET, or POST with a body")
    add("-b", "--body", help="the request body; @FILE: from a file")
    add("--body-file", type=Path, help="the request body")
    add("--chunk", type=int, default=0, help="upload in chunks of so many")
    add("--urls", default="", help="file of '[WEIGHT] [METHOD] /target'")
    add("-u", "--user", default="", help="USER:PASSWORD for Basic")
    add("-L", "--follow", action="store_true", help="redirects to this origin")
    add("--max-redirects", type=int, metavar="N", help="at most (5)")
    add("--cookies", action="store_true", help="keep them, by connection")
    add("--slow-send", default="", help="SIZE:SECONDS, 1:0.1 is slowloris")
    add("--slow-read", default="", help="SIZE:SECONDS")


def _redirects(arguments: argparse.Namespace) -> int:
    """How many a request follows."""
    most: int | None = arguments.max_redirects
    if most is not None and most < 1:
        raise UsageError("--max-redirects cannot be %d." % most)
    return most or (5 if arguments.follow else 0)


def _add_expected(group: Any) -> None:
    add = group.add_argument
    add("--expect-status", default="200", help="200,204 or 3xx; 0: any 2xx")
    add("--expect-body-file", type=Path, help="compare every body with it")
    add("--expect-length", type=int, default=-1, help="of every body")
    add("--learn", action="store_true", help="expect the body of a first GET")


def _add_where(group: Any) -> None:
    add = group.add_argument
    add(
        "--connect-to",
        default="",
        metavar="HOST:PORT",
        help="connect there, with the URL's Host and server name",
    )
    add(
        "--resolve",
        action="append",
        default=[],
        metavar="HOST:PORT:ADDRESS",
        help="instead of what DNS says",
    )
    add("--tls-ca", default="", help="verify the server against this file")
    add("--tls-cert", default="", help="a certificate of our own ...")
    add("--tls-key", default="", help="... and its key, if in another file")
    add("--tls-name", "--sni", default="", help="the server's name")
    add("--tls-resume", action="store_true", help="offer old sessions")


def _add_client(group: Any) -> None:
    add = group.add_argument
    add("--timeout", default="5", help="a time for a request")
    add("--drain", default="2", help="a time for late answers")
    add("--window", default="0.1", help="a time: of a window")
    add("--source", default="", help="first source address, 127.0.0.1")
    add("--sources", type=int, default=1, help="how many consecutive ones")
    add(
        "-t",
        "--processes",
        "--threads",
        type=int,
        default=1,
        help="generators, each on a CPU",
    )
    _workers.add_arguments(group)
    add("--cpu", default="", help="run on these CPUs: 1, 0,2 or 0-3")


def _add_output(group: Any) -> None:
    add = group.add_argument
    add("--json", default="", help="write the result here; -: to stdout")
    add("--windows", default="", help="windows, one JSON a line; -: stdout")
    add("--spectrum", default="", help="percentiles, as HdrHistogram's text")
    add("--percentiles", default="", help="more of them: 95,99.95")
    add("--live", default="", help="each second a JSON; -: to stdout")
    add(
        "--prometheus",
        default="",
        metavar="[HOST]:PORT",
        help="serve live figures there",
    )
    add(
        "--slo",
        default="",
        help="gates like p99=20ms,errors=0.1%% (exit code 3)",
    )
    add("--latency", action="store_true", help=argparse.SUPPRESS)  # wrk's
    add("-q", "--quiet", action="store_true", help="say nothing")


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(
            "cannot read %s: %s." % (path, error.strerror)
        ) from error


def _body(arguments: argparse.Namespace) -> bytes:
    from wsgibench.load.message import as_bytes

    text = arguments.body
    if text is None:
        file = arguments.body_file
        return _read(file) if file else b""
    if arguments.body_file:
        raise UsageError("there is one body: --body or --body-file.")
    return _read(Path(text[1:])) if text[:1] == "@" else as_bytes(text)


def _extra_headers(
    arguments: argparse.Namespace,
) -> tuple[tuple[str, str], ...]:
    from wsgibench.load.headers import parse_header
    from wsgibench.load.target import basic

    headers = [parse_header(text) for text in arguments.header]
    if arguments.user:
        user, _, password = arguments.user.partition(":")
        headers.append(("Authorization", "Basic " + basic(user, password)))
    return tuple(headers)


def _stages(arguments: argparse.Namespace) -> tuple[Stage, ...]:
    from wsgibench.load import values

    if arguments.stages and arguments.steps:
        raise UsageError("--stages and --steps are two ways to say one thing.")
    if not arguments.stages and not arguments.steps:
        return ()
    if arguments.duration is not None or arguments.rate != "0":
        raise UsageError("stages say how long and at what rate: no -d, no -R.")
    if arguments.stages:
        return values.stages(arguments.stages)
    return values.steps(arguments.steps)


def spec_of(arguments: argparse.Namespace) -> LoadSpec:
    from wsgibench.load import slo, values
    from wsgibench.load.spec import LoadSpec

    expected = arguments.expect_body_file
    rate, rate_end = values.rate(arguments.rate)
    send_size, send_gap = values.pair(arguments.slow_send, "SIZE:SECONDS")
    read_size, read_gap = values.pair(arguments.slow_read, "SIZE:SECONDS")
    if arguments.duration is not None:
        duration = values.seconds(arguments.duration)
    elif rate_end is not None:
        raise UsageError("a ramp needs its duration: -d SECONDS.")
    else:
        duration = FOREVER if arguments.requests else 5.0
    body = _body(arguments)
    gates = slo.parse(arguments.slo) if arguments.slo else []
    more = arguments.percentiles
    return LoadSpec(
        url=arguments.url,
        connections=arguments.connections,
        duration=duration,
        rate=rate,
        rate_end=rate_end,
        stages=_stages(arguments),
        poisson=arguments.arrivals == "poisson",
        think=values.think(arguments.think),
        seed=arguments.seed,
        keepalive=not arguments.no_keepalive,
        per_connection=arguments.per_connection,
        pipeline=arguments.pipeline,
        requests=arguments.requests,
        connect_rate=arguments.connect_rate,
        processes=arguments.processes,
        headers=arguments.headers,
        extra_headers=_extra_headers(arguments),
        http10=arguments.http10,
        method=(arguments.method or ("POST" if body else "GET")).upper(),
        body=body,
        chunk=arguments.chunk,
        url_list=arguments.urls,
        send_size=round(send_size),
        send_gap=send_gap,
        read_size=round(read_size),
        read_gap=read_gap,
        expect_status=values.statuses(arguments.expect_status),
        expect_body=_read(expected) if expected else None,
        expect_length=arguments.expect_length,
        learn=arguments.learn,
        timeout=values.seconds(arguments.timeout),
        drain=values.seconds(arguments.drain),
        window=values.seconds(arguments.window),
        source=arguments.source,
        sources=arguments.sources,
        tls_ca=arguments.tls_ca,
        tls_cert=arguments.tls_cert,
        tls_key=arguments.tls_key,
        tls_name=arguments.tls_name,
        tls_resume=arguments.tls_resume,
        follow=_redirects(arguments),
        cookies=arguments.cookies,
        connect_to=arguments.connect_to,
        resolve=tuple(arguments.resolve),
        percentiles=(
            *(values.percentiles(more) if more else ()),
            *slo.percentiles(gates),
        ),
    )


def _cpus(text: str) -> tuple[int, ...]:
    """``1``, ``0,2`` or ``0-3``."""
    found: list[int] = []
    for part in filter(None, text.split(",")):
        match = re.fullmatch(r"(\d{1,5})(?:-(\d{1,5}))?", part)
        if match is None:
            raise UsageError("%r is not a list of CPUs." % text)
        found += range(int(match[1]), int(match[2] or match[1]) + 1)
    return tuple(found)


@contextlib.contextmanager
def _ended_by_sigterm() -> Iterator[None]:
    """``kill`` ends a run as Ctrl-C does: what there is is kept."""

    def end(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.getsignal(signal.SIGTERM)
    if before is not signal.SIG_DFL:
        yield
        return
    signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _run_once(
    arguments: argparse.Namespace, spec: LoadSpec
) -> tuple[dict[str, Any], str]:
    """(the result, its text)"""
    from wsgibench.load import drivers, live, output
    from wsgibench.load.run import run as run_load

    cpus = _cpus(arguments.cpu)
    if arguments.tool:
        result = drivers.run(arguments.tool, spec, cpus)
        return result, output.tool_summary(result)
    with (
        _ended_by_sigterm(),
        live.following(
            not arguments.quiet, arguments.live, arguments.prometheus
        ) as on_live,
    ):
        if arguments.workers:
            result = _workers.run(arguments, spec, on_live)
        else:
            result = run_load(spec, on_live, cpus, arguments.steered_by)
    return result, output.summary(result, spec.percentiles)


def _say(arguments: argparse.Namespace, text: str) -> None:
    """For people: on standard error when standard output is data."""
    streams = (arguments.json, arguments.windows, arguments.live)
    if not arguments.quiet:
        to = sys.stderr if "-" in streams else sys.stdout
        try:
            print(text, file=to, flush=True)
        except BrokenPipeError:
            raise
        except OSError as error:
            raise WsgibenchError(
                "cannot write the result: %s." % error.strerror
            ) from error


def _code(gates: list[Gate], result: dict[str, Any]) -> int:
    """Says which gates were missed; the exit code."""
    from wsgibench.load import slo

    sentences = slo.missed(gates, result) if gates else []
    for sentence in sentences:
        print("gate missed: " + sentence, file=sys.stderr)
    if not sentences:
        return 1 if result["verdict"] == "INVALID" else 0
    excuse = slo.clients_doing(gates, result)
    if excuse:
        print("no measurement: " + excuse, file=sys.stderr)
        return 1
    return 3


def _windows(result: dict[str, Any]) -> list[Any]:
    return [*result["windows"], result["drain"]]


def _sweep(
    arguments: argparse.Namespace, spec: LoadSpec, gates: list[Gate]
) -> int:
    from wsgibench.load import files, sweep

    worst = 0
    complaint: UsageError | None = None
    points: list[Any] = []
    rows: list[Any] = []
    texts: list[str] = []

    def one(fit: LoadSpec) -> dict[str, Any]:
        result, text = _run_once(arguments, fit)
        texts.append(text)
        return result

    for point in sweep.sweep(spec, sweep.points(arguments.sweep), one):
        points.append(point)
        if "load" in point:
            count = point["arithmetic"]["connections"]
            of_point = _windows(point["load"])
            rows += [{"connections": count, **row} for row in of_point]
        # After each point: an end in the middle keeps what there is.
        record = {"schema": "wsgibench-sweep/1", "points": points}
        complaint = None
        try:
            if arguments.json and arguments.json != files.STDOUT:
                files.write_json(arguments.json, [record])
            if arguments.windows:
                files.write_json(arguments.windows, rows)
        except UsageError as error:
            complaint = error  # the points go on
        if "skipped" in point:
            _say(arguments, "skipped: " + point["skipped"])
            continue
        _say(arguments, texts[-1])
        worst = max(worst, _code(gates, point["load"]))
    if arguments.json == files.STDOUT:
        files.write_json(arguments.json, [record])
    if complaint:
        print("wsgibench: %s" % complaint, file=sys.stderr)
    return worst or (1 if complaint else 0)


def _write(
    arguments: argparse.Namespace, result: dict[str, Any]
) -> list[UsageError]:
    """Into all files that it can; what it could not."""
    from wsgibench.load import files
    from wsgibench.load.hdr import Histogram

    def spectrum() -> str:
        return files.spectrum(Histogram.decode(result["response"]["hdr"]))

    texts: list[tuple[str, Callable[[], str]]] = [
        (arguments.json, lambda: files.lines([result])),
        (arguments.windows, lambda: files.lines(_windows(result))),
        (arguments.spectrum, spectrum),
    ]
    complaints: list[UsageError] = []
    for path, text in texts:
        try:
            if path:
                files.write(path, text())
        except UsageError as error:
            complaints.append(error)
    return complaints


def run(arguments: argparse.Namespace) -> int:
    from wsgibench.load import files, slo

    parser = argparse.ArgumentParser()
    add_arguments(parser)
    _workers.check(arguments, parser)
    spec = spec_of(arguments)
    spec.check()
    gates = slo.parse(arguments.slo) if arguments.slo else []
    outputs = (
        arguments.json,
        arguments.windows,
        arguments.live,
        arguments.spectrum,
    )
    files.check(*outputs)
    if arguments.sweep:
        return _sweep(arguments, spec, gates)
    result, text = _run_once(arguments, spec)
    complaints = _write(arguments, result)
    code = _code(gates, result)
    _say(arguments, text)
    for complaint in complaints:
        print("wsgibench: %s" % complaint, file=sys.stderr)
    return code or (1 if complaints else 0)
