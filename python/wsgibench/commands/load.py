"""``python -m wsgibench load URL``: the load generator by itself."""

from __future__ import annotations

import argparse
import dataclasses
import re
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from wsgibench.commands import _exit_codes, _interrupts, _workers
from wsgibench.errors import UsageError, WsgibenchError
from wsgibench.load import options

if TYPE_CHECKING:
    from wsgibench.load.generator import OnLive
    from wsgibench.load.slo import Gate
    from wsgibench.load.spec import LoadSpec

HELP = "load a URL and say what became of every request"
EPILOG = """\
templates in URLs, headers and bodies: {seq} {random:N} {number:A-B} {uuid}
{address} {pick:FILE} {visitor:FILE} {user:FIELD}; see docs/load.md.
times: 10, 10s, 1.5m, 200ms. exit codes: 0 done, 1 no measurement, 2 wrong
use, 3 a gate was missed.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EPILOG
    add = parser.add_argument
    add(
        "url",
        help="http(s)://HOST:PORT/PATH, unix:/SOCKET|/PATH, or @FILE: a load "
        "as JSON",
    )
    group = parser.add_argument_group("the loop")
    options.add(group, options.LOOP)
    group.add_argument(
        "--sweep", default="", help="connections 1..65536 or 1,10,100"
    )
    options.add(parser.add_argument_group("requests"), options.REQUESTS)
    group = parser.add_argument_group("what is expected")
    options.add(group, options.EXPECTED)
    options.add(parser.add_argument_group("where to"), options.WHERE)
    group = parser.add_argument_group("this machine")
    options.add(group, options.CLIENT)
    _workers.add_arguments(group)
    group.add_argument(
        "--cpu", default="", help="run on these CPUs: 1, 0,2 or 0-3"
    )
    _add_output(parser.add_argument_group("output"))
    # Of the harness (harness/steady.py): a descriptor.
    add("--steered-by", type=int, default=-1, help=argparse.SUPPRESS)
    add("--tool", default="", help="drive this tool instead: wrk, ab, ...")


default_text = options.default_text


def _add_output(group: Any) -> None:
    add = group.add_argument
    add("--json", default="", help="write the result here; -: to stdout")
    add("--windows", default="", help="windows, one JSON a line; -: stdout")
    add("--spectrum", default="", help="percentiles, as HdrHistogram's text")
    options.add(group, options.OUTPUT)
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


def _cpus(text: str) -> tuple[int, ...]:
    """``1``, ``0,2`` or ``0-3``."""
    found: list[int] = []
    for part in text.split(",") if text else ():
        match = re.fullmatch(r"(\d{1,5})(?:-(\d{1,5}))?", part)
        last = int(match[2] or match[1]) if match else 0
        if match is None or last < int(match[1]):
            raise UsageError("%r is not a list of CPUs." % text)
        found += range(int(match[1]), last + 1)
    return tuple(found)


def _run_once(
    arguments: argparse.Namespace, spec: LoadSpec, on_live: OnLive | None
) -> tuple[dict[str, Any], str]:
    """(the result, its text)"""
    from wsgibench.load import drivers, output
    from wsgibench.load.run import run as run_load

    cpus = _cpus(arguments.cpu)
    if arguments.tool:
        result = drivers.run(arguments.tool, spec, cpus)
        return result, output.tool_summary(result)
    with _interrupts.as_by_ctrl_c():
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
        bad = result["verdict"] == "INVALID"
        return int(bad and not slo.is_allowed(gates, result))
    excuse = slo.clients_doing(gates, result)
    if excuse:
        print("no measurement: " + excuse, file=sys.stderr)
        return _exit_codes.FAILED
    return _exit_codes.MISSED


def _windows(result: dict[str, Any]) -> list[Any]:
    return [*result["windows"], result["drain"]]


def _sweep(
    arguments: argparse.Namespace,
    spec: LoadSpec,
    gates: list[Gate],
    on_live: OnLive | None,
) -> int:
    from wsgibench import outputs
    from wsgibench.load import files, sweep

    worst = 0
    complaint: WsgibenchError | None = None
    points: list[Any] = []
    rows: list[Any] = []
    texts: list[str] = []

    def one(fit: LoadSpec) -> dict[str, Any]:
        result, text = _run_once(arguments, fit, on_live)
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
            if arguments.json and arguments.json != outputs.STDOUT:
                outputs.write(arguments.json, files.lines([record]))
            if arguments.windows:
                outputs.write(arguments.windows, files.lines(rows))
        except WsgibenchError as error:
            complaint = error  # the points go on
        if "skipped" in point:
            _say(arguments, "skipped: " + point["skipped"])
            continue
        _say(arguments, texts[-1])
        worst = max(worst, _code(gates, point["load"]))
    if arguments.json == outputs.STDOUT:
        outputs.write(arguments.json, files.lines([record]))
    if complaint:
        print("wsgibench: %s" % complaint, file=sys.stderr)
    return worst or (_exit_codes.FAILED if complaint else 0)


def _write(
    arguments: argparse.Namespace, result: dict[str, Any]
) -> list[WsgibenchError]:
    """Into all files that it can; what it could not."""
    from wsgibench import outputs
    from wsgibench.load import files
    from wsgibench.load.hdr import Histogram

    def spectrum() -> str:
        return files.spectrum(Histogram.decode(result["response"]["hdr"]))

    texts: list[tuple[str, Callable[[], str]]] = [
        (arguments.json, lambda: files.lines([result])),
        (arguments.windows, lambda: files.lines(_windows(result))),
        (arguments.spectrum, spectrum),
    ]
    complaints: list[WsgibenchError] = []
    for path, text in texts:
        try:
            if path:
                outputs.write(path, text())
        except WsgibenchError as error:
            complaints.append(error)
    return complaints


#: Output of one run of our own generator.
OF_A_RUN = {
    "sweep": ("spectrum",),
    "tool": ("windows", "spectrum", "live", "prometheus"),
}


def _refuse_ignored(arguments: argparse.Namespace) -> None:
    """UsageError for output that there would not be."""
    for beside, names in OF_A_RUN.items():
        for name in names if getattr(arguments, beside) else ():
            if getattr(arguments, name):
                raise UsageError(
                    "--%s does not go with --%s." % (name, beside)
                )
    if arguments.sweep:
        from wsgibench.load import sweep

        # Each point has its own; processes need at least as many.
        arguments.connections = max(sweep.points(arguments.sweep))


def run(arguments: argparse.Namespace) -> int:
    from wsgibench import cli, outputs
    from wsgibench.load import live, slo

    _workers.check(arguments, cli.parser_of("load", add_arguments))
    _refuse_ignored(arguments)
    spec = options.spec(arguments)
    gates = slo.parse(arguments.slo) if arguments.slo else []
    more = slo.percentiles(gates)
    spec = dataclasses.replace(spec, percentiles=(*spec.percentiles, *more))
    outputs.check(
        arguments.json,
        arguments.windows,
        arguments.live,
        arguments.spectrum,
    )
    following = live.following(
        not (arguments.quiet or arguments.tool),
        arguments.live,
        arguments.prometheus,
    )
    with following as on_live:
        if arguments.sweep:
            return _sweep(arguments, spec, gates, on_live)
        result, text = _run_once(arguments, spec, on_live)
    complaints = _write(arguments, result)
    code = _code(gates, result)
    _say(arguments, text)
    for complaint in complaints:
        print("wsgibench: %s" % complaint, file=sys.stderr)
    return code or (_exit_codes.FAILED if complaints else 0)
