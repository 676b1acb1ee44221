"""One start of one cell: a new server process, loaded once."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from wsgibench.harness import energy, generator, sockets
from wsgibench.harness.client import HERE, Client
from wsgibench.harness.environments import Environment
from wsgibench.harness.plan import Load
from wsgibench.harness.process import TargetProcess, Under
from wsgibench.harness.scenario import Scenario
from wsgibench.harness.servers import Server
from wsgibench.harness.steady import (
    Decision,
    Settled,
    ShiftOf,
    Steering,
    never,
)
from wsgibench.harness.visit import Visit, wrong_answers
from wsgibench.harness.watch import Watch
from wsgibench.verdicts import CPU, INVALID, NUMBERS, doubt, summary


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
            asked = generator.spec(url, load, scenario, seed)
            if visit is not None:
                checked = visit.begin(target, start)
                asked = visit.spec(target, load, Path(directory), seed=seed)
            watch = Watch(target.pid, cpus_of(cpus), cpus[1])
            dropped = sockets.drops(target.address[1])
            steering = None
            if load.settle and settled is not None:
                decision = Decision(
                    load,
                    settled,
                    is_jit=target.ready.get("implementation") == "PyPy",
                    shift=shift,
                )
                steering = Steering(target.pid, decision)
            watch.start()
            power = energy.read()
            try:
                result = generator.generate(
                    asked,
                    cpu=cpus[1],
                    tool=load.tool,
                    client=client,
                    watch=watch,
                    steering=steering,
                )
            finally:
                used = energy.used(power, energy.read())
                watch.stop()
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
                **(
                    {"warmup": steering.decision.to_json()} if steering else {}
                ),
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
    if watch.lost_ns():
        observed["load"]["doubts"].append(
            doubt(
                "cpu-lost",
                INVALID,
                (CPU,),
                "processes of the server ended, and nobody waited for them: "
                "%.2f s of their CPU are in no sum" % (watch.lost_ns() / 1e9),
                "no SIGCHLD that is ignored, or workers that stay",
            )
        )
    if visit is not None:
        observed["load"]["doubts"][:0] = wrong_answers(checked)
    verdict = summary(observed["load"]["doubts"])
    observed["load"]["verdict"], observed["load"]["reasons"] = verdict
    return observed
