"""A start of a run that is counted: takes the place of harness/cell.py."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from wsgibench.errors import UsageError, WsgibenchError
from wsgibench.harness.counted import callgrind, perf, start
from wsgibench.harness.counted.targets import Subject
from wsgibench.harness.environments import Environment
from wsgibench.harness.plan import Load
from wsgibench.harness.scenario import Scenario
from wsgibench.harness.servers import Server

COUNTERS = {"callgrind": callgrind.available, "perf": perf.available}
WANTING = {
    "callgrind": "install the package valgrind",
    "perf": "it takes perf, and counters that this machine's CPU shows",
}


def counter(wanted: str) -> str:
    """What counts instructions: what was asked for, or what there is."""
    if wanted and not COUNTERS[wanted]():
        raise UsageError(
            "%s cannot count here: %s." % (wanted, WANTING[wanted])
        )
    for name in [wanted] if wanted else COUNTERS:
        if COUNTERS[name]():
            return name
    raise WsgibenchError(
        "nothing here counts instructions: %s."
        % "; or ".join(WANTING.values())
    )


def measurer(by: str) -> Callable[..., dict[str, Any]]:
    """A function with the arguments of cell.run()."""
    count: Callable[[list[Subject]], list[dict[str, Any]]] = (
        start.instructions if by == "callgrind" else start.by_counters
    )

    def run(
        server: Server,
        scenario: Scenario,
        load: Load,
        environment: Environment,
        *,
        services: dict[str, Any] | None = None,
        broken: Callable[[], str] = lambda: "",
        **plan: Any,
    ) -> dict[str, Any]:
        subject = Subject(
            server,
            scenario,
            load,
            environment,
            services or {},
            visit=plan.get("visit"),
        )
        found = {**count([subject])[0], **start.system_calls([subject])[0]}
        reason = broken()
        if reason:
            raise WsgibenchError(reason)
        return {
            "start": plan["start"],
            "seed": plan["seed"],
            "counted": found,
        }

    return run
