"""``python -m wsgibench target``: one server with one task, until Ctrl-C or
SIGTERM."""

from __future__ import annotations

import argparse
import sys

from wsgibench.commands import _numbers

HELP = "start a server with a scenario and stay, for a load from elsewhere"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "server", help="of `wsgibench list`, as in tornado-threads:threads=4"
    )
    parser.add_argument("scenario", help="of `wsgibench list`: network-near")
    parser.add_argument(
        "--python", default="python3", help="interpreter (default: python3)"
    )
    parser.add_argument(
        "--host", default="127.0.0.1", help="address (default: 127.0.0.1)"
    )
    parser.add_argument(
        "--port", type=int, default=0, help="default: one that is free"
    )


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def run(arguments: argparse.Namespace) -> int:
    import contextlib
    import dataclasses
    import tempfile
    import time
    from pathlib import Path

    from wsgibench.commands import _interrupts
    from wsgibench.errors import UsageError, WsgibenchError
    from wsgibench.harness import (
        environments,
        interpreters,
        scenario,
        servers,
    )
    from wsgibench.harness.process import TargetProcess
    from wsgibench.harness.services import Services

    _numbers.port(arguments.port)
    server = servers.find(arguments.server)
    work = scenario.find(arguments.scenario)
    interpreter = interpreters.find(arguments.python)
    reason = servers.why_not(
        server.name, interpreter
    ) or servers.why_not_scenario(server, work)
    if reason:
        raise UsageError(reason)
    environment = environments.get(interpreter, server.name, _say)
    if work.requires:
        folder, _ = environments.libraries(interpreter, work.requires, _say)
        environment = dataclasses.replace(environment, libraries=(folder,))
    with contextlib.ExitStack() as stack:
        stack.enter_context(_interrupts.as_by_ctrl_c())
        directory = stack.enter_context(
            tempfile.TemporaryDirectory(prefix="wsgibench-")
        )
        services = stack.enter_context(Services(_say))
        target = stack.enter_context(
            TargetProcess(
                environment,
                server,
                work,
                log=Path(directory) / "target.log",
                host=arguments.host,
                port=arguments.port,
                services=services.need(work.services),
            )
        )
        url = "http://%s:%d%s" % (*target.address[:2], work.path)
        try:
            print(url, flush=True)
            _say("process %d; Ctrl-C ends it" % target.pid)
            while target.alive():
                broken = services.broken(work.services)
                if broken:
                    raise WsgibenchError(broken + ".")
                # Nothing is reported by a server that goes on.
                time.sleep(0.5)
        except KeyboardInterrupt:
            return 0
        raise WsgibenchError("the server died: %s" % target.last_words())
