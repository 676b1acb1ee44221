"""One start of one cell: a new server process, loaded once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from wsgibench import orphans
from wsgibench.errors import WsgibenchError
from wsgibench.harness import energy, limits, sockets
from wsgibench.harness.client import HERE, Client
from wsgibench.harness.environments import Environment
from wsgibench.harness.plan import CONNECT_RATE, GENTLE_ABOVE, Load
from wsgibench.harness.process import TargetProcess, Under
from wsgibench.harness.scenario import Scenario
from wsgibench.harness.servers import Server
from wsgibench.harness.steady import Settled, ShiftOf, Steering, never
from wsgibench.harness.visit import Visit, wrong_answers
from wsgibench.harness.watch import Watch
from wsgibench.load.verdict import summary
from wsgibench.verdicts import INVALID, NUMBERS, doubt

#: Seconds that a request may take beyond what its work takes.
TIMEOUT = 5.0


def _ours(load: Load, scenario: Scenario) -> list[str]:
    """What only our own generator is asked for."""
    command = ["--rate", str(load.rate)]
    # A closed loop queues at the server: everyone waits for all others.
    patience = TIMEOUT + (scenario.delay or 5e-4) * load.connections
    command += ["--timeout", "%.1f" % min(60.0, patience)]
    if load.pipeline > 1:
        command += ["--pipeline", str(load.pipeline)]
    if load.connections > GENTLE_ABOVE:
        command += ["--connect-rate", str(CONNECT_RATE)]
    return command + limits.client(load.connections)


def command(
    url: str, load: Load, scenario: Scenario, seed: int, cpu: int | None
) -> list[str]:
    command = [sys.executable, "-m", "wsgibench", "load", url, "--quiet"]
    command += ["--connections", str(load.connections)]
    command += ["--duration", str(load.longest)]
    command += ["--headers", load.headers, "--seed", str(seed)]
    if load.tool:
        command += ["--tool", load.tool]
    else:
        command += _ours(load, scenario)
    command += ["--expect-status", str(scenario.status)]
    if load.requests:
        command += ["--requests", str(load.requests)]
    if not load.keepalive:
        command.append("--no-keepalive")
    if load.http10:
        command.append("--http10")
    if cpu is not None:
        command += ["--cpu", str(cpu)]
    return command


def generate(
    command: list[str],
    seconds: float,
    scenario: Scenario,
    watch: Watch | None = None,
    steering: Steering | None = None,
) -> dict[str, Any]:
    """The generator, in a process of its own on its own CPU."""
    with tempfile.TemporaryDirectory(prefix="wsgibench-") as directory:
        result = Path(directory) / "load.json"
        if not scenario.any_body:
            expected = Path(directory) / "expected-body"
            expected.write_bytes(scenario.body)
            command = [*command, "--expect-body-file", str(expected)]
        inherited = []
        if steering is not None:
            inherited.append(steering.theirs.fileno())
            command = [*command, "--steered-by", str(inherited[0])]
        with orphans.uninterrupted():
            client = subprocess.Popen(
                [*command, "--json", str(result)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                preexec_fn=orphans.end_with_us(),
                pass_fds=inherited,
            )
        if watch is not None:
            watch.client = client.pid
        if steering is not None:
            steering.start()
        with client:
            try:
                _, said = client.communicate(timeout=seconds)
            finally:
                client.kill()
                if steering is not None:
                    steering.close()
        if not result.exists():
            words = said.decode(errors="replace").strip().splitlines()
            raise WsgibenchError(
                "the load generator failed: %s" % (words or ["no message"])[-1]
            )
        parsed: dict[str, Any] = json.loads(result.read_text())
        return parsed


def cpus_of(cpus: tuple[int | None, int | None]) -> list[int]:
    """Those that server and client may run on."""
    pinned = [cpu for cpu in cpus if cpu is not None]
    return pinned or sorted(os.sched_getaffinity(0))


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
    under: Under | None = None,
    visit: Visit | None = None,
    settled: Settled | None = None,
    shift: ShiftOf = never,
    client: Client = HERE,
) -> dict[str, Any]:
    """What was observed; raises WsgibenchError when there is no result.

    ``broken()`` says, after the load, what became of the services; ``visit``
    is what an application of the user's is asked, and must answer."""
    if client.workers:
        cpus = (cpus[0], None)  # it is not of this machine
    with tempfile.TemporaryDirectory(prefix="wsgibench-") as directory:
        with TargetProcess(
            environment,
            server,
            scenario,
            cpu=cpus[0],
            host=client.host,
            port=port,
            log=Path(directory) / "target.log",
            services=services,
            backlog=load.backlog,
            under=under,
        ) as target:
            url = "http://%s:%d%s" % (
                *target.address[:2],
                load.path or scenario.path,
            )
            asked = command(url, load, scenario, seed, cpus[1])
            if visit is not None:
                checked = visit.begin(target, start)
                asked = visit.command(
                    target, load, Path(directory), seed=seed, cpu=cpus[1]
                )
            asked = client.command(asked)
            watch = Watch(target.pid, cpus_of(cpus), cpus[1])
            dropped = sockets.drops(target.address[1])
            steering = None
            if load.settle and settled is not None:
                steering = Steering(
                    target.pid,
                    load,
                    settled,
                    is_jit=target.ready.get("implementation") == "PyPy",
                    shift=shift,
                )
            watch.start()
            power = energy.read()
            try:
                result = generate(
                    asked,
                    load.longest + 120,
                    scenario,
                    watch,
                    steering,
                )
            finally:
                watch.stop()
            used = energy.used(power, energy.read())
            after = sockets.drops(target.address[1])
            reasons = [broken()]
            if not target.alive():
                reasons.append("the server died: " + target.last_words())
            observed: dict[str, Any] = {
                "start": start,
                "seed": seed,
                "cpus": {"server": cpus[0], "client": cpus[1]},
                "target": target.ready,
                "start_seconds": target.start_seconds,
                "services": services or {},
                **({"warmup": steering.to_json()} if steering else {}),
                "load": result,
                "listener_drops": (after or 0) - (dropped or 0),
                **watch.to_json(),
                **({} if used is None else {"energy_uj": used}),
                **({} if visit is None else {"answers": checked}),
            }
    # Before what follows from it.
    observed["load"]["doubts"][:0] = [
        doubt("died", INVALID, NUMBERS, reason, "see what it logged")
        for reason in filter(None, reasons)
    ]
    if visit is not None:
        observed["load"]["doubts"][:0] = wrong_answers(checked)
    verdict = summary(observed["load"]["doubts"])
    observed["load"]["verdict"], observed["load"]["reasons"] = verdict
    return observed
