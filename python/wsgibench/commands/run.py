"""``python -m wsgibench run``: race servers."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

HELP = "race servers against each other"

Found = TypeVar("Found")

#: name -> (starts, seconds measured)
PROFILES = {"quick": (1, 2.0), "standard": (5, 5.0), "paper": (15, 10.0)}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--server", default="c-uv,null", help="names, comma-separated")
    add("--python", default="python3", help="python3, 3.12, pypy3, paths")
    add("--scenario", default="hello")
    add("--connections", default="64", help="numbers, comma-separated")
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


def _split(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _known(
    names: list[str], find: Callable[[str], Found], missing: list[str]
) -> dict[str, Found]:
    """What `find` makes of each name. A name without a meaning costs only
    its own cells, unless there is no other; then it is wrong use."""
    from wsgibench.errors import UsageError

    found = {}
    errors = []
    for name in names:
        try:
            found[name] = find(name)
        except UsageError as error:
            errors.append(error)
    if errors and not found:
        raise errors[0]
    missing += map(str, errors)
    return found


def run(arguments: argparse.Namespace) -> int:
    from wsgibench.errors import UsageError
    from wsgibench.harness import interpreters
    from wsgibench.harness.plan import Cell, Load
    from wsgibench.harness.run import Run
    from wsgibench.harness.scenario import find as find_scenario
    from wsgibench.harness.servers import find as find_server
    from wsgibench.load.headers import header_set
    from wsgibench.reports import table

    missing: list[str] = []
    servers = _known(_split(arguments.server), find_server, missing)
    scenarios = _known(_split(arguments.scenario), find_scenario, missing)
    header_set(arguments.headers)
    if not arguments.output.resolve().parent.is_dir():
        raise UsageError(
            "there is no folder %s." % arguments.output.resolve().parent
        )
    connections = []
    for text in _split(arguments.connections):
        if not text.isdigit() or int(text) < 1:
            raise UsageError("%r is not a number of connections." % text)
        connections.append(int(text))
    found = _known(_split(arguments.python), interpreters.find, missing)
    starts, duration = PROFILES[arguments.profile]
    cells = [
        Cell(
            server,
            name,
            scenario,
            Load(
                connections=count,
                duration=arguments.duration or duration,
                warmup=arguments.warmup_jit
                if interpreter.implementation == "PyPy"
                else arguments.warmup,
                keepalive=not arguments.no_keepalive,
                headers=arguments.headers,
                rate=arguments.rate,
            ),
        )
        for scenario in scenarios
        for count in connections
        for name, interpreter in found.items()
        for server in servers
    ]
    record = Run(
        cells,
        found,
        starts=arguments.starts or starts,
        seed=arguments.seed,
        port=arguments.port,
        argv=sys.argv[1:],
        output=arguments.output,
        missing=missing,
        tell=lambda text: print(text, file=sys.stderr, flush=True),
    ).execute()
    print(table.render(record))
    print("record: %s" % arguments.output)
    invalid = any(
        start["load"]["verdict"] == "INVALID"
        for cell in record["cells"]
        for start in cell["starts"]
    )
    return 1 if record["failures"] or invalid else 0
