"""``python -m wsgibench run``: race servers."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wsgibench.harness.selection import Selection

HELP = "race servers against each other"

#: name -> (starts, seconds measured)
PROFILES = {"quick": (1, 2.0), "standard": (5, 5.0), "paper": (15, 10.0)}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--suite", help="a published benchmark (list names them), or a file")
    add(
        "--server",
        default="c-uv,null",
        help="names, comma-separated; NAME:OPTION=NUMBER sets one of its own",
    )
    add("--python", help="python3 (the default), 3.12, pypy3, paths")
    add("--scenario", default="hello")
    add(
        "--connections",
        default="64",
        help="numbers, comma-separated; 1..1024: powers of two",
    )
    add("--duration", type=float, help="seconds measured of each start")
    add("--warmup", type=float, default=1.0, help="seconds before them")
    add(
        "--warmup-jit",
        type=float,
        default=4.0,
        help="the same for interpreters with a JIT (PyPy)",
    )
    add("--headers", default="browser", help="minimal, browser, cookies-4k")
    add("--no-keepalive", action="store_true")
    add("--rate", type=float, default=0.0, help="requests/s; 0: closed loop")
    add("--starts", type=int, help="server processes for each cell")
    add("--profile", choices=sorted(PROFILES), default="quick")
    add("--seed", type=int, default=1)
    add("--port", type=int, default=0, help="0 picks a free one")
    add("-o", "--output", type=Path, default=Path("wsgibench.json"))


def _select(arguments: argparse.Namespace) -> tuple[Selection, int]:
    """What is to be raced, and how many times."""
    from wsgibench.harness import selection, suite

    starts, duration = PROFILES[arguments.profile]
    warmup = (arguments.warmup, arguments.warmup_jit)
    if arguments.suite:
        chosen = suite.read(arguments.suite)
        profile = chosen.profile(arguments.profile)
        duration = profile.get("duration", duration)
        starts = profile.get("starts", starts)
        chosen_cells = selection.of_suite(
            chosen,
            arguments.python,
            duration=arguments.duration or duration,
            warmup=profile.get("warmup", warmup),
        )
        return chosen_cells, arguments.starts or starts
    load = {
        "duration": arguments.duration or duration,
        "keepalive": not arguments.no_keepalive,
        "headers": arguments.headers,
        "rate": arguments.rate,
    }
    found = selection.free(
        arguments.server,
        arguments.scenario,
        arguments.python or "python3",
        arguments.connections,
        load=load,
        warmup=warmup,
    )
    return found, arguments.starts or starts


def run(arguments: argparse.Namespace) -> int:
    from wsgibench.errors import UsageError
    from wsgibench.harness.run import Run
    from wsgibench.load.headers import header_set
    from wsgibench.reports import suite as suite_table
    from wsgibench.reports import table

    header_set(arguments.headers)
    if not arguments.output.resolve().parent.is_dir():
        raise UsageError(
            "there is no folder %s." % arguments.output.resolve().parent
        )
    selection, starts = _select(arguments)
    record = Run(
        selection.cells,
        selection.interpreters,
        starts=starts,
        seed=arguments.seed,
        port=arguments.port,
        argv=sys.argv[1:],
        output=arguments.output,
        missing=selection.missing,
        suite=selection.suite,
        tell=lambda text: print(text, file=sys.stderr, flush=True),
    ).execute()
    print((suite_table if "suite" in record else table).render(record))
    print("record: %s" % arguments.output)
    invalid = any(
        start["load"]["verdict"] == "INVALID"
        for cell in record["cells"]
        for start in cell["starts"]
    )
    nothing = not any(cell["starts"] for cell in record["cells"])
    return 1 if record["failures"] or invalid or nothing else 0
