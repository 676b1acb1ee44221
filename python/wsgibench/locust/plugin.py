"""What a locustfile gets by importing us: the workers' reports carry the
generator's whole result, and the master merges them.

Registered with Locust's own events; a process that has no FastUsers is left
as it is.
"""

from __future__ import annotations

import json
import logging
import time
from typing import Any

import gevent
from locust import events
from locust.runners import (
    STATE_MISSING,
    LocalRunner,
    MasterRunner,
    WorkerRunner,
)

from wsgibench.errors import WsgibenchError
from wsgibench.locust import loads
from wsgibench.locust.record import Worker, merged

LOG = logging.getLogger("wsgibench")
FIELD = "wsgibench"
END = "wsgibench_end"  # master to workers: finish, and report
END_SECONDS = 8.0


def register() -> None:
    events.init_command_line_parser.add_listener(add_arguments)
    events.init.add_listener(on_init)


def add_arguments(parser: Any, **_: Any) -> None:
    parser.add_argument(
        "--load-json",
        default="",
        metavar="FILE",
        help="write the load record of all FastUsers here when a test ends",
    )


def on_init(environment: Any, runner: Any = None, **_: Any) -> None:
    runner = runner or environment.runner
    if isinstance(runner, WorkerRunner):
        reports(environment)
    elif isinstance(runner, (MasterRunner, LocalRunner)):
        options = environment.parsed_options
        path = getattr(options, "load_json", "") if options else ""
        Collector(environment, runner, path)


def reports(environment: Any) -> None:
    """A worker's side."""
    mine = loads.of(environment)

    def on_report(client_id: str, data: dict[str, Any], **_: Any) -> None:
        data[FIELD] = mine.report()

    def on_usage(environment: Any, **_: Any) -> None:
        runner = environment.runner
        runner.current_cpu_usage = max(
            runner.current_cpu_usage, 100 * mine.busy
        )

    def on_end(environment: Any, msg: Any, **_: Any) -> None:
        mine.finish()
        environment.runner._send_stats()

    environment.runner.register_message(END, on_end, concurrent=True)
    environment.events.report_to_master.add_listener(on_report)
    environment.events.usage_monitor.add_listener(on_usage)
    environment.events.test_start.add_listener(lambda **_: mine.clear())


class Collector:
    """The master's side, also of a Locust that runs alone."""

    def __init__(self, environment: Any, runner: Any, path: str) -> None:
        self._environment = environment
        self._runner = runner
        self._path = path
        self.workers: dict[str, Worker] = {}
        on = environment.events
        on.test_start.add_listener(self._on_start)
        on.worker_report.add_listener(self._on_report)
        on.test_stop.add_listener(self._on_stop)
        on.quit.add_listener(self._on_quit)
        self._watcher = gevent.spawn(self._watch)

    def _on_start(self, **_: Any) -> None:
        self.workers.clear()
        if isinstance(self._runner, LocalRunner):
            loads.of(self._environment).clear()

    def _on_stop(self, **_: Any) -> None:
        """Locust waits half a second for the last reports, whoever has sent
        them; we until all of them are here."""
        if isinstance(self._runner, LocalRunner):
            return
        clients = self._runner.clients
        self._runner.send_message(END)
        if not self.workers:
            gevent.sleep(1)  # nobody has reported yet
        until = time.monotonic() + END_SECONDS
        while time.monotonic() < until and any(
            not worker.is_final
            and name in clients
            and clients[name].state != STATE_MISSING
            for name, worker in self.workers.items()
        ):
            gevent.sleep(0.05)

    def _on_report(
        self, client_id: str, data: dict[str, Any], **_: Any
    ) -> None:
        found = data.get(FIELD)
        if not found or not found["loads"]:
            return
        worker = self.workers.setdefault(client_id, Worker(client_id))
        try:
            worker.report(found)
        except (WsgibenchError, ValueError, KeyError, TypeError) as error:
            LOG.error("report of %s: %s", client_id, error)

    def _watch(self) -> None:
        """Who is not heard of."""
        if isinstance(self._runner, LocalRunner):
            return
        while True:
            gevent.sleep(1)
            now = time.time()
            for name, worker in self.workers.items():
                node = self._runner.clients.get(name)
                if node is not None and node.state == STATE_MISSING:
                    worker.is_away(now)
                elif node is None and self._runner.state == "running":
                    worker.lost = worker.lost or "quit in mid-run"
                elif node is not None:
                    worker.lost = ""

    def record(self) -> dict[str, Any]:
        """WsgibenchError when no FastUser reported."""
        if isinstance(self._runner, LocalRunner):
            mine = loads.of(self._environment).report()
            worker = Worker("local")
            worker.report(mine)
            return merged([worker])
        now = time.time()
        for worker in self.workers.values():
            if worker.missing and now - worker.missing[-1][1] < 3:
                worker.missing.pop()
                worker.lost = "died or was cut off"
        return merged(list(self.workers.values()))

    def _on_quit(self, **_: Any) -> None:
        self._watcher.kill(block=False)
        if not self._path:
            return
        try:
            record = self.record()
        except WsgibenchError as error:
            LOG.error("no load record: %s", error)
            return
        with open(self._path, "w", encoding="utf-8") as file:
            json.dump(record, file)
        LOG.info("wrote %s: %s", self._path, record["verdict"])
