"""One start of one cell: a new server process, loaded once."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from wsgibench import orphans
from wsgibench.errors import WsgibenchError
from wsgibench.harness import limits, usage
from wsgibench.harness.environments import Environment
from wsgibench.harness.plan import CONNECT_RATE, GENTLE_ABOVE, Load
from wsgibench.harness.process import GuestProcess
from wsgibench.harness.scenario import Scenario
from wsgibench.harness.servers import Server

#: Seconds that a request may take beyond what its work takes.
TIMEOUT = 5.0


def command(
    url: str, load: Load, scenario: Scenario, seed: int, cpu: int | None
) -> list[str]:
    command = [sys.executable, "-m", "wsgibench", "load", url, "--quiet"]
    command += ["--connections", str(load.connections)]
    command += ["--duration", str(load.warmup + load.duration)]
    command += ["--headers", load.headers, "--seed", str(seed)]
    command += ["--rate", str(load.rate)]
    command += ["--expect-status", str(scenario.status)]
    # A closed loop queues at the server: everyone waits for all others.
    patience = TIMEOUT + (scenario.delay or 5e-4) * load.connections
    command += ["--timeout", "%.1f" % min(60.0, patience)]
    if load.pipeline > 1:
        command += ["--pipeline", str(load.pipeline)]
    if load.connections > GENTLE_ABOVE:
        command += ["--connect-rate", str(CONNECT_RATE)]
    command += limits.client(load.connections)
    if load.requests:
        command += ["--requests", str(load.requests)]
    if not load.keepalive:
        command.append("--no-keepalive")
    if cpu is not None:
        command += ["--cpu", str(cpu)]
    return command


def generate(
    command: list[str], seconds: float, scenario: Scenario
) -> dict[str, Any]:
    """The generator, in a process of its own on its own CPU."""
    with tempfile.TemporaryDirectory(prefix="wsgibench-") as directory:
        result = Path(directory) / "load.json"
        if not scenario.any_body:
            expected = Path(directory) / "expected-body"
            expected.write_bytes(scenario.body)
            command = [*command, "--expect-body-file", str(expected)]
        with orphans.uninterrupted():
            client = subprocess.Popen(
                [*command, "--json", str(result)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                preexec_fn=orphans.end_with_us(),
            )
        with client:
            try:
                _, said = client.communicate(timeout=seconds)
            finally:
                client.kill()
        if not result.exists():
            words = said.decode(errors="replace").strip().splitlines()
            raise WsgibenchError(
                "the load generator failed: %s" % (words or ["no message"])[-1]
            )
        parsed: dict[str, Any] = json.loads(result.read_text())
        return parsed


def run(
    server: Server,
    scenario: Scenario,
    load: Load,
    environment: Environment,
    *,
    start: int,
    seed: int,
    cpus: tuple[int | None, int | None],
    port: int = 0,
    services: dict[str, Any] | None = None,
    broken: Callable[[], str] = lambda: "",
) -> dict[str, Any]:
    """What was observed; raises WsgibenchError when there is no result.

    ``broken()`` says, after the load, what became of the services."""
    with tempfile.TemporaryDirectory(prefix="wsgibench-") as directory:
        with GuestProcess(
            environment,
            server,
            scenario,
            cpu=cpus[0],
            port=port,
            log=Path(directory) / "guest.log",
            services=services,
            backlog=load.backlog,
        ) as guest:
            url = "http://%s:%d%s" % (
                *guest.address[:2],
                load.path or scenario.path,
            )
            sampler = usage.Sampler(guest.pid)
            sampler.start()
            try:
                result = generate(
                    command(url, load, scenario, seed, cpus[1]),
                    load.warmup + load.duration + 120,
                    scenario,
                )
            finally:
                samples = sampler.stop()
            reasons = [broken()]
            if not guest.alive():
                reasons.append("the server died: " + guest.last_words())
            observed: dict[str, Any] = {
                "start": start,
                "seed": seed,
                "cpus": {"server": cpus[0], "client": cpus[1]},
                "guest": guest.ready,
                "start_seconds": guest.start_seconds,
                "services": services or {},
                "load": result,
                "usage": [asdict(sample) for sample in samples],
            }
    for reason in filter(None, reasons):
        observed["load"]["verdict"] = "INVALID"
        observed["load"]["reasons"].insert(0, reason)
    return observed
