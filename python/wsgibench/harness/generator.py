"""The load of a cell: what the generator is asked for, and its process."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from wsgibench import orphans
from wsgibench.errors import WsgibenchError
from wsgibench.harness import limits
from wsgibench.harness.client import HERE, Client
from wsgibench.harness.plan import Load
from wsgibench.harness.scenario import Scenario
from wsgibench.harness.steady import Steering
from wsgibench.harness.watch import Watch
from wsgibench.load import wire
from wsgibench.load.spec import LoadSpec

#: Seconds that a request may take beyond what its work takes.
TIMEOUT = 5.0
#: Seconds that a generator may take beyond its load.
PATIENCE = 120.0


def spec(url: str, load: Load, scenario: Scenario, seed: int) -> LoadSpec:
    asked = load.spec(
        url,
        seed=seed,
        expect_status=scenario.status,
        expect_body=None if scenario.any_body else scenario.body,
    )
    if load.tool:
        return asked  # the rest is our own generator's
    # A closed loop queues at the server: everyone waits for all others.
    timeout = TIMEOUT + (scenario.delay or 5e-4) * load.connections
    return replace(
        asked, timeout=min(60.0, timeout), **limits.client(load.connections)
    )


def command(
    asked: Path, cpu: int | None, tool: str, client: Client
) -> list[str]:
    """Of the generator; `asked` has the load."""
    made = [sys.executable, "-m", "wsgibench", "load", "@%s" % asked]
    made += ["--quiet"]
    if tool:
        made += ["--tool", tool]
    if cpu is not None:
        made += ["--cpu", str(cpu)]
    return client.command(made)


def generate(
    asked: LoadSpec,
    *,
    cpu: int | None,
    tool: str = "",
    client: Client = HERE,
    watch: Watch | None = None,
    steering: Steering | None = None,
) -> dict[str, Any]:
    """The generator, in a process of its own on its own CPU."""
    asked = client.spec(asked)
    with tempfile.TemporaryDirectory(prefix="wsgibench-") as directory:
        file = Path(directory) / "asked.json"
        file.write_text(json.dumps(wire.to_json(asked)))
        result = Path(directory) / "load.json"
        words = command(file, cpu, tool, client)
        inherited = []
        if steering is not None:
            inherited.append(steering.theirs.fileno())
            words += ["--steered-by", str(inherited[0])]
        with orphans.uninterrupted():
            process = subprocess.Popen(
                [*words, "--json", str(result)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                preexec_fn=orphans.end_with_us(),
                pass_fds=inherited,
            )
        if watch is not None:
            watch.client = process.pid
        if steering is not None:
            steering.start()
        with process:
            try:
                _, said = process.communicate(timeout=asked.seconds + PATIENCE)
            finally:
                process.kill()
                if steering is not None:
                    steering.close()
        if not result.exists():
            lines = said.decode(errors="replace").strip().splitlines()
            raise WsgibenchError(
                "the load generator failed: %s" % (lines or ["no message"])[-1]
            )
        parsed: dict[str, Any] = json.loads(result.read_text())
        return parsed
