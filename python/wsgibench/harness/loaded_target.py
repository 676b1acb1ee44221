"""A server that runs and is loaded several times, at one rate after another;
what ``capacity`` and ``size`` are made of."""

from __future__ import annotations

import dataclasses
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from wsgibench.errors import WsgibenchError
from wsgibench.harness import generator, machine
from wsgibench.harness.environments import Environment
from wsgibench.harness.plan import Load
from wsgibench.harness.process import TargetProcess
from wsgibench.harness.scenario import Scenario
from wsgibench.harness.servers import Server
from wsgibench.harness.visit import Visit
from wsgibench.harness.watch import Watch


class LoadedTarget:
    """A context manager: one process of the server, checked."""

    def __init__(
        self,
        server: Server,
        scenario: Scenario,
        environment: Environment,
        *,
        visit: Visit | None,
        start: int,
        workers: int = 1,
    ) -> None:
        self._scenario = scenario
        self._visit = visit
        self._start = start
        self._folder = tempfile.TemporaryDirectory(prefix="wsgibench-")
        _, self._client_cpu = machine.split_cpus()
        cpus, self.is_shared = machine.cpus_of_workers(workers)
        self._cpus = sorted(
            os.sched_getaffinity(0)
            if cpus is None or self._client_cpu is None
            else {*cpus, self._client_cpu}
        )
        self._target = TargetProcess(
            environment,
            server,
            scenario,
            cpu=cpus,
            log=Path(self._folder.name) / "target.log",
        )
        self.answers: dict[str, Any] = {}
        self._number = 0

    def __enter__(self) -> LoadedTarget:
        try:
            self._target.__enter__()
            if self._visit is not None:
                self.answers = self._visit.begin(self._target, self._start)
        except BaseException:
            self.__exit__()
            raise
        wrong = self.answers.get("differences")
        if wrong:
            self.__exit__()
            raise WsgibenchError(
                "wrong answers: %(request)s: %(what)s" % wrong[0]
            )
        return self

    def __exit__(self, *exception: object) -> None:
        self._target.stop()
        self._folder.cleanup()

    def load(self, asked: Load, seed: int) -> dict[str, Any]:
        """The generator's result, with ``server_cpu_ns``,
        ``server_wait_ns``, ``rss`` and ``watched``: who used the CPUs."""
        self._number += 1
        seed = 1000 * seed + self._number
        folder = Path(self._folder.name)
        if self._visit is not None:
            made = self._visit.spec(self._target, asked, folder, seed=seed)
        else:
            url = "http://%s:%d%s" % (
                *self._target.address[:2],
                self._scenario.path,
            )
            made = generator.spec(url, asked, self._scenario, seed)
        watch = Watch(self._target.pid, self._cpus, self._client_cpu)
        watch.start()
        try:
            result = generator.generate(
                made, cpu=self._client_cpu, watch=watch
            )
        finally:
            watch.stop()
        before, after = watch.server_usage[0], watch.server_usage[-1]
        if not self._target.alive():
            raise WsgibenchError(
                "the server died: " + self._target.last_words()
            )
        result["server_cpu_ns"] = after.cpu_ns - before.cpu_ns
        result["server_wait_ns"] = after.wait_ns - before.wait_ns
        result["rss"] = after.rss
        result["watched"] = watch.to_json()
        return result


def closed(load: Load) -> Load:
    return dataclasses.replace(load, rate=0.0, fraction=0.0)


Tell = Callable[[str], None]
