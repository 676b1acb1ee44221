"""A Locust worker without a locustfile: all its users are FastUsers.

A stock master's user classes are known by name only; what they send is said
on the worker's command line. Our own master sends a whole load instead
(master.py).
"""

from __future__ import annotations

import logging
import signal
import socket
import time
from typing import Any, ClassVar

import gevent
from gevent.event import Event
from locust import runners
from locust.env import Environment
from locust.event import Events
from locust.exception import RPCError
from locust.rpc import Message
from locust.runners import STATE_INIT, WorkerRunner, __version__

from wsgibench.errors import UsageError, WsgibenchError
from wsgibench.load import wire
from wsgibench.locust import loads, plugin, record
from wsgibench.locust.engine import Engine
from wsgibench.locust.user import FastUser

LOG = logging.getLogger("wsgibench")
#: The master is gone: its load ends. Locust's own workers
#: wait for a minute, and then end.
LOST_SECONDS = 10
REPORT_SECONDS = 1.0
LEAVE_SECONDS = 0.2
REJOIN_SECONDS = 2.0
RUN = "wsgibench_run"
STOP = "wsgibench_stop"
PING = "wsgibench_ping"
REPORT = "wsgibench_report"


class Task:
    """A load that our own master asked for."""

    def __init__(self, send: Any, data: dict[str, Any]) -> None:
        self._send = send
        self._run = data["run"]
        spec = wire.from_json(data["spec"])
        self._part = record.part(spec)
        self._engine = Engine(spec, None, self._on_report)
        gevent.spawn(self._at_end)

    def _on_report(self, raw: dict[str, Any], watch: dict[str, Any]) -> None:
        self._part["raw"], self._part["watch"] = raw, watch
        self._tell(final=False)

    def _at_end(self) -> None:
        self._engine.ended.wait()
        self._part["error"] = self._engine.error
        self._tell(final=True)

    def _tell(self, final: bool) -> None:
        self._send(
            REPORT,
            {
                "run": self._run,
                "host": socket.gethostname(),
                "sent_ns": time.time_ns(),
                "final": final,
                "loads": {"load": record.packed([self._part])},
            },
        )

    def stop(self) -> None:
        self._engine.stop()


class Worker(WorkerRunner):  # type: ignore[misc]
    """Takes any user class for a FastUser, and waits for a master that was
    restarted."""

    kinds: ClassVar[type[FastUser]] = FastUser
    _task: Task | None = None
    worker_state: str

    def handle_message(self, msg: Any) -> None:
        if msg.type == "spawn":
            self._know(msg.data["user_classes_count"])
        elif msg.type == "quit":
            # The master waits half a second for what is left to report.
            loads.of(self.environment).finish()
            self._send_stats()
        elif msg.type == PING:
            answer = {"sent": msg.data, "here_ns": time.monotonic_ns()}
            self.send_message(PING, answer)
            return
        elif msg.type == RUN:
            self._start_task(msg.data)
            return
        elif msg.type == STOP:
            self._stop_task()
            return
        super().handle_message(msg)

    def _know(self, names: Any) -> None:
        known = self.environment.user_classes_by_name
        for name in names:
            if name not in known:
                kind = type(str(name), (self.kinds,), {"abstract": False})
                self.environment.user_classes.append(kind)

    def _start_task(self, data: dict[str, Any]) -> None:
        self._stop_task()
        try:
            self._task = Task(self.send_message, data)
        except UsageError as error:
            LOG.error("%s", error)
            self.send_message(
                REPORT,
                {
                    "run": data["run"],
                    "host": socket.gethostname(),
                    "sent_ns": time.time_ns(),
                    "final": True,
                    "loads": {
                        "load": record.packed([record.failed(str(error))])
                    },
                },
            )

    def _stop_task(self) -> None:
        if self._task is not None:
            self._task.stop()
            self._task = None

    def heartbeat_timeout_checker(self) -> None:
        while True:
            gevent.sleep(1)
            last = self.last_heartbeat_timestamp
            if last and time.time() - last > LOST_SECONDS:
                self._rejoin()

    def _rejoin(self) -> None:
        """The master was restarted, or cannot be reached."""
        LOG.warning("no word of the master for %d s", LOST_SECONDS)
        self._stop_task()
        if self.worker_state != STATE_INIT:
            self.stop()
            self.worker_state = STATE_INIT
        self.last_received_spawn_timestamp = 0
        self.last_heartbeat_timestamp = time.time()
        try:  # ZeroMQ itself connects again
            self.client.send(
                Message("client_ready", __version__, self.client_id)
            )
        except RPCError as error:
            LOG.error("%s", error)


class Session:
    """With one master, until it says quit."""

    def __init__(self, host: str, port: int, kind: type[FastUser]) -> None:
        # Events of its own: of the last runner's listeners none is left.
        self._environment = Environment(events=Events(), user_classes=[])
        self._where = (host, port)
        self._kind = type("Worker", (Worker,), {"kinds": kind})

    def work(self) -> None:
        try:
            runner = self._kind(self._environment, *self._where)
        except ConnectionError as error:
            raise WsgibenchError(
                "no Locust master answers at %s:%d." % self._where
            ) from error
        self._environment.runner = runner
        plugin.reports(self._environment)
        LOG.info("joined %s:%d as %s", *self._where, runner.client_id)
        runner.greenlet.join()

    def leave(self) -> None:
        """Ends its load, reports it, and says quit."""
        loads.of(self._environment).finish()
        runner = self._environment.runner
        if runner is not None:
            runner._stop_task()
            runner._send_stats()
            self._environment.events.quitting.fire(
                environment=self._environment
            )
            gevent.sleep(LEAVE_SECONDS)  # for what was sent to go out


def serve(
    host: str, port: int, kind: type[FastUser] = FastUser, stay: bool = False
) -> None:
    """Works for masters until one says quit; ``stay``: then for the next.
    SIGTERM and SIGINT end it."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    # Of a worker that dies, less than a second is not reported.
    runners.WORKER_REPORT_INTERVAL = REPORT_SECONDS
    ending = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        gevent.signal_handler(number, ending.set)
    while not ending.is_set():
        session = Session(host, port, kind)
        work = gevent.spawn(session.work)
        gevent.wait([ending, work], count=1)
        if ending.is_set():
            session.leave()
            return
        if work.exception is not None and not stay:
            raise work.exception
        if not stay:
            return
        # A master that has said quit still greets workers for a moment.
        ending.wait(REJOIN_SECONDS)
