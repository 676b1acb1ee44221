"""The generators of this process: one for each class of FastUsers."""

from __future__ import annotations

import logging
import socket
import time
import weakref
from typing import Any

import gevent
from gevent.lock import BoundedSemaphore

from wsgibench.errors import WsgibenchError
from wsgibench.load.spec import LoadSpec
from wsgibench.locust import record
from wsgibench.locust.engine import Engine
from wsgibench.locust.feed import Feed

LOG = logging.getLogger("wsgibench")
#: Users come one by one; the generator is told of all of a moment.
GATHER_SECONDS = 0.01
#: How long answers are waited for when the last user has gone, and then the
#: process.
GRACE_SECONDS = 5.0


class Load:
    """A generator from the first user to the last one, over and over."""

    def __init__(self, environment: Any, kind: Any) -> None:
        self._environment = environment
        self._kind = kind
        self._users = 0
        self._told = 0
        self._finished = False
        self._lock = BoundedSemaphore()
        self._engine: Engine | None = None
        self._teller: Any = None
        self._feed: Feed | None = None
        self.parts: list[dict[str, Any]] = []  # one for each generator
        self.busy = 0.0  # share of a CPU, in the last second

    def _spec(self) -> LoadSpec:
        spec: LoadSpec = self._kind.spec(self._environment.host)
        return spec

    def _begin(self) -> None:
        spec = self._spec()
        if self._feed is None:
            methods = {one.method for one in spec.entries} or {spec.method}
            name = (
                spec.entries[0].target.partition("?")[0]
                if len(spec.entries) == 1
                else self._kind.__name__
            )
            self._feed = Feed(
                self._environment.stats,
                name,
                methods.pop() if len(methods) == 1 else "",
            )
        self._feed.again()
        part = record.part(spec)
        self.parts.append(part)
        feed = self._feed

        def on_report(raw: dict[str, Any], watch: dict[str, Any]) -> None:
            before = part["raw"] or {"cpu_ns": 0, "duration_ns": 0}
            spent = raw["cpu_ns"] - before["cpu_ns"]
            passed = raw["duration_ns"] - before["duration_ns"]
            self.busy = spent / max(1, passed)
            part["raw"], part["watch"] = raw, watch
            feed(raw)

        self._engine = Engine(spec, self._users, on_report)
        self._told = self._users

    @property
    def is_over(self) -> bool:
        return self._engine is None

    def enter(self) -> None:
        self._users += 1
        self._soon()

    def leave(self) -> None:
        self._users -= 1
        if self._users == 0:
            self._finished = False
            self._end()
        else:
            self._soon()

    def _soon(self) -> None:
        if self._teller is None and not self._finished:
            self._teller = gevent.spawn_later(GATHER_SECONDS, self._tell)

    def _tell(self) -> None:
        self._teller = None
        with self._lock:  # a process does not start in no time
            if self._finished or self._told == self._users:
                return
            if self._engine is not None:
                self._told = self._users
                self._engine.users(self._users)
            elif self._users:
                try:
                    self._begin()
                except WsgibenchError as error:
                    LOG.error("%s: %s", self._kind.__name__, error)
                    self.parts.append(record.failed(str(error)))
                    self._environment.events.user_error.fire(
                        user_instance=None, exception=error, tb=None
                    )
                    self._finished = True
        if self._told != self._users:
            self._soon()

    def finish(self) -> None:
        """Nothing more is asked until other users come."""
        self._finished = self._users > 0
        self._end()

    def _end(self) -> None:
        with self._lock:
            engine, self._engine = self._engine, None
            self._told = 0
            self.busy = 0.0
            if engine is None:
                return
            engine.stop()
            engine.close(GRACE_SECONDS)
            if engine.error:
                LOG.error("%s: %s", self._kind.__name__, engine.error)
                self.parts[-1]["error"] = engine.error


class Loads:
    def __init__(self, environment: Any) -> None:
        self._environment = environment
        self._loads: dict[str, Load] = {}

    def load(self, kind: Any) -> Load:
        name = kind.__name__
        if name not in self._loads:
            self._loads[name] = Load(self._environment, kind)
        return self._loads[name]

    def clear(self) -> None:
        """A test begins: what came before is another's."""
        for load in self._loads.values():
            load.parts = load.parts[-1:] if load.busy else []

    def finish(self) -> None:
        """Ends the generators with their users still there, and counts what
        they did to the end."""
        gevent.joinall(
            [gevent.spawn(load.finish) for load in self._loads.values()]
        )

    @property
    def busy(self) -> float:
        return sum(load.busy for load in self._loads.values())

    def report(self) -> dict[str, Any]:
        """What travels to the master: all of this test, each time."""
        return {
            "host": socket.gethostname(),
            "sent_ns": time.time_ns(),
            "final": all(load.is_over for load in self._loads.values()),
            "loads": {
                name: record.packed(load.parts)
                for name, load in self._loads.items()
            },
        }


_of: weakref.WeakKeyDictionary[Any, Loads] = weakref.WeakKeyDictionary()


def of(environment: Any) -> Loads:
    if environment not in _of:
        _of[environment] = Loads(environment)
    return _of[environment]
