"""``python -m wsgibench run``: race servers."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

HELP = "race servers against each other"

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


def run(arguments: argparse.Namespace) -> int:
    from wsgibench import plugins
    from wsgibench.errors import UsageError
    from wsgibench.harness import interpreters
    from wsgibench.harness.plan import Cell, Load
    from wsgibench.harness.run import Run
    from wsgibench.load.headers import header_set
    from wsgibench.reports import table

    servers = _split(arguments.server)
    scenarios = _split(arguments.scenario)
    for server in servers:
        plugins.check("guest/servers", server, "server")
    for scenario in scenarios:
        plugins.check("scenarios", scenario, "scenario")
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
    found = {
        name: interpreters.find(name) for name in _split(arguments.python)
    }
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
