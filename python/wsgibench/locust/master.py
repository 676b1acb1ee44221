"""One load on the workers that have joined, or that are started by ssh.

Locust's master knows who is there; the load itself is ours: each worker gets
its part of one schedule and begins at one time. Clocks are compared before:
of several round trips the shortest tells how far a worker's clock is.
"""

from __future__ import annotations

import contextlib
import dataclasses
import secrets
import shlex
import subprocess
import time
from collections.abc import Iterator, Sequence
from typing import Any

import gevent
from locust.env import Environment
from locust.event import Events
from locust.exception import RPCError
from locust.runners import STATE_MISSING

from wsgibench.errors import WsgibenchError
from wsgibench.load import doubts, processes, wire
from wsgibench.load.generator import OnLive
from wsgibench.load.spec import LoadSpec
from wsgibench.locust import record, worker

JOIN_SECONDS = 60.0
PINGS = 5
START_SECONDS = 2.0  # for the generators to come up
SPARE_SECONDS = 10.0
LOST_SECONDS = 12.0  # a worker that is not heard of has stopped by then


class Master:
    """A context manager: a Locust master at ``host:port``."""

    def __init__(self, host: str, port: int) -> None:
        self._environment = Environment(events=Events(), user_classes=[])
        try:
            self._runner = self._environment.create_master_runner(host, port)
        except (SystemExit, RPCError) as error:
            raise WsgibenchError(
                "no master can be at %s:%d: is another one there?"
                % (host, port)
            ) from error
        self._workers: dict[str, record.Worker] = {}
        self._clocks: dict[str, tuple[int, int]] = {}  # round trip, offset
        self._run = ""
        for kind, listener in (
            (worker.PING, self._on_pong),
            (worker.REPORT, self._on_report),
        ):
            self._runner.register_message(kind, listener)

    def __enter__(self) -> Master:
        return self

    def __exit__(self, *_: object) -> None:
        self._runner.quit()
        self._runner.server.close()

    def _ready(self) -> list[str]:
        return [
            node.id
            for node in self._runner.clients.all
            if node.state != STATE_MISSING
        ]

    def wait(self, count: int, alive: Any = lambda: None) -> list[str]:
        """The first ``count`` workers; WsgibenchError when they do not come.
        ``alive()`` raises when there is no hope."""
        until = time.monotonic() + JOIN_SECONDS
        while len(self._ready()) < count:
            alive()
            if time.monotonic() > until:
                raise WsgibenchError(
                    "%d of %d workers joined in %d s: start them by 'python "
                    "-m wsgibench worker --master HOST'."
                    % (len(self._ready()), count, JOIN_SECONDS)
                )
            gevent.sleep(0.05)
        return self._ready()[:count]

    def _on_pong(self, environment: Any, msg: Any) -> None:
        now, sent = time.monotonic_ns(), int(msg.data["sent"])
        offset = int(msg.data["here_ns"]) - (now + sent) // 2
        found = (now - sent, offset)
        self._clocks[msg.node_id] = min(
            self._clocks.get(msg.node_id, found), found
        )

    def _on_report(self, environment: Any, msg: Any) -> None:
        one = self._workers.get(msg.node_id)
        if one is None or msg.data["run"] != self._run:
            return  # of a run before this one
        try:
            one.report(msg.data)
        except (WsgibenchError, ValueError, KeyError, TypeError) as error:
            one.lost = "sent a report that is none (%s)" % error

    def _compare_clocks(self, names: list[str]) -> None:
        for _ in range(PINGS):
            for name in names:
                self._runner.send_message(
                    worker.PING, time.monotonic_ns(), client_id=name
                )
            gevent.sleep(0.05)
        silent = [name for name in names if name not in self._clocks]
        until = time.monotonic() + 5
        while silent and time.monotonic() < until:
            gevent.sleep(0.05)
            silent = [name for name in silent if name not in self._clocks]
        if silent:
            raise WsgibenchError(
                "%s is no worker of ours: it does not know what a load is."
                % ", ".join(silent)
            )

    def _send(self, spec: LoadSpec, names: list[str]) -> None:
        seconds = START_SECONDS + 0.1 * len(names)
        start_ns = time.monotonic_ns() + round(seconds * 1e9)
        whole = dataclasses.replace(spec, processes=len(names), window=1e6)
        for name, part in zip(names, processes.parts(whole, start_ns)):
            mine = dataclasses.replace(
                part,
                start_ns=start_ns + self._clocks[name][1],
                learn=spec.learn,
            )
            data = {"run": self._run, "spec": wire.to_json(mine)}
            self._runner.send_message(worker.RUN, data, client_id=name)

    def _is_over(self, deadline: float) -> bool:
        """Watches who is there."""
        now = time.time()
        waiting = False
        for name, one in self._workers.items():
            node = self._runner.clients.get(name)
            if one.is_final:
                continue
            if node is None:
                one.lost = one.lost or "quit in mid-run"
            elif node.state == STATE_MISSING:
                one.is_away(now)
                began, last = one.missing[-1]
                if last - began > LOST_SECONDS:
                    one.lost = "died or was cut off"
            waiting = waiting or not one.lost
        if time.monotonic() > deadline:
            for one in self._workers.values():
                if not one.is_final and not one.lost:
                    one.lost = "did not end in time"
        return not waiting or time.monotonic() > deadline

    def _live(self, on_live: OnLive | None) -> None:
        raws = [
            part["raw"]
            for one in self._workers.values()
            for part in one.parts
            if part["raw"]
        ]
        if on_live is None or not raws:
            return
        ok = sum(raw["classes"]["ok"] for raw in raws)
        sent = sum(raw["scheduled"] for raw in raws)
        done = sum(sum(raw["classes"].values()) for raw in raws)
        windows = [raw["windows"][-1] for raw in raws if raw["windows"]]
        on_live(
            {
                "ok": ok,
                "failed": done - ok,
                "sent": sent,
                "connected": sum(
                    raw["connections"]["open_at_end"] for raw in raws
                ),
                "elapsed_ns": max(raw["duration_ns"] for raw in raws),
                "p50_ns": max((w["p50_ns"] for w in windows), default=0),
                "p99_ns": max((w["p99_ns"] for w in windows), default=0),
            }
        )

    def load(
        self, spec: LoadSpec, names: list[str], on_live: OnLive | None = None
    ) -> dict[str, Any]:
        """The load record of one run; Ctrl-C ends it early."""
        self._run = secrets.token_hex(8)
        self._workers = {name: record.Worker(name) for name in names}
        self._compare_clocks(names)
        self._send(spec, names)
        deadline = (
            time.monotonic()
            + START_SECONDS
            + 0.1 * len(names)
            + (spec.seconds if spec.seconds < 1e6 else 1e9)
            + spec.drain
            + spec.timeout
            + SPARE_SECONDS
        )
        while not self._is_over(deadline):
            try:
                gevent.sleep(0.1)
                self._live(on_live)
            except KeyboardInterrupt:
                self._runner.send_message(worker.STOP)
                deadline = min(
                    deadline, time.monotonic() + spec.drain + SPARE_SECONDS
                )
        return self._record(spec)

    def _record(self, spec: LoadSpec) -> dict[str, Any]:
        result = record.merged(list(self._workers.values()), spec)
        starts = []
        for one in result["workers"]:
            trip, offset = self._clocks[one["name"]]
            one["clock"] = {"offset_ns": offset, "round_trip_ns": trip}
            starts += [
                part["raw"]["start_ns"] - offset
                for part in self._workers[one["name"]].parts
                if part["raw"]
            ]
        spread = max(starts) - min(starts)
        result["start_spread_ns"] = spread
        apart = doubts.started_apart(spread, "workers")
        if apart:
            result["doubts"] = apart + result["doubts"]
            from wsgibench.verdicts import summary

            result["verdict"], result["reasons"] = summary(result["doubts"])
        return result


@dataclasses.dataclass(frozen=True)
class Ssh:
    command: str = "ssh"  # with options
    worker: str = "python3 -m wsgibench"  # on each host


class Remote:
    """Workers that are started by the system's ssh, and end with it. Their
    way to the master is a port that ssh forwards: no address is needed."""

    def __init__(self, hosts: Sequence[str], port: int, ssh: Ssh) -> None:
        self._processes: list[tuple[str, subprocess.Popen[str]]] = []
        for host in hosts:
            there = 20_000 + secrets.randbelow(10_000)
            self._processes.append(
                (
                    host,
                    subprocess.Popen(
                        [*shlex.split(ssh.command), "-tt"]
                        + ["-o", "BatchMode=yes"]
                        + ["-o", "ExitOnForwardFailure=yes"]
                        + ["-R", "127.0.0.1:%d:127.0.0.1:%d" % (there, port)]
                        + [host, "--", ssh.worker]
                        + ["worker", "--master", "127.0.0.1:%d" % there],
                        stdin=subprocess.DEVNULL,
                        stdout=subprocess.PIPE,
                        stderr=subprocess.STDOUT,
                        text=True,
                        start_new_session=True,
                    ),
                )
            )

    def alive(self) -> None:
        for host, process in self._processes:
            if process.poll() is not None:
                said = process.stdout.read() if process.stdout else ""
                words = said.strip().splitlines() or ["ssh ended"]
                raise WsgibenchError(
                    "no worker on %s: %s" % (host, words[-1].strip())
                )

    def end(self) -> None:
        for _, process in self._processes:
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@contextlib.contextmanager
def remote(hosts: Sequence[str], port: int, ssh: Ssh) -> Iterator[Remote]:
    workers = Remote(hosts, port, ssh)
    try:
        yield workers
    finally:
        workers.end()


def run(
    spec: LoadSpec,
    workers: str,
    bind: tuple[str, int],
    ssh: Ssh,
    on_live: OnLive | None = None,
) -> dict[str, Any]:
    """``workers``: how many have joined or will, or hosts for ssh."""
    hosts = [] if workers.isdecimal() else workers.split(",")
    count = len(hosts) or int(workers)
    with contextlib.ExitStack() as stack:
        # Last in, first out: ssh ends when the master has said quit.
        master = Master("127.0.0.1" if hosts else bind[0], bind[1])
        if hosts:
            started = stack.enter_context(remote(hosts, bind[1], ssh))
            stack.enter_context(master)
            names = master.wait(count, started.alive)
        else:
            stack.enter_context(master)
            names = master.wait(count)
        return master.load(spec, names, on_live)
