"""Can an answer still come of a target that starts?

A supervisor may replace a worker that dies, for ever; and under a counter,
where a target is given twenty times as long, one that waits for what never
comes would wait for ten minutes.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable

from wsgibench.harness import sockets, usage

#: Workers that ended before there was an answer.
DEATHS = 5
#: Seconds in which it uses no more than this part of a CPU.
IDLE_SECONDS, IDLE_SHARE = 30.0, 0.02
LOOK = 0.05


def _sockets(pid: int) -> set[int]:
    """Inodes of the sockets that a process has open."""
    found = set()
    try:
        for entry in os.scandir("/proc/%d/fd" % pid):
            kind, _, rest = os.readlink(entry.path).partition(":[")
            if kind == "socket":
                found.add(int(rest[:-1]))
    except OSError:
        pass  # it has just ended
    return found


class Watcher:
    """A context manager: a thread that calls `give_up()`, once, when no
    answer can come; `reason` says why then."""

    def __init__(
        self, pid: int, port: int, give_up: Callable[[], None]
    ) -> None:
        self.reason = ""
        self._pid = pid
        self._port = port
        self._give_up = give_up
        self._began = time.monotonic()
        self._workers: set[int] = set()
        self._dead = 0
        self._active = self._began, 0.0  # since when, CPU seconds by then
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Watcher:
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._over.wait(LOOK):
            self.reason = self._look()
            if self.reason:
                self._give_up()
                return

    def _look(self) -> str:
        tree = usage.tree(self._pid)
        return self._of_workers(tree[1:]) or self._of_time(tree)

    def _of_workers(self, children: list[int]) -> str:
        """Workers are those that have the listening socket: what else an
        application starts and ends is its own affair."""
        gone = self._workers - set(children)
        self._dead += len(gone)
        self._workers -= gone
        if self._dead >= DEATHS:
            return (
                "%d of its workers died within %.0f s, and none answered"
                % (
                    self._dead,
                    time.monotonic() - self._began,
                )
            )
        new = [pid for pid in children if pid not in self._workers]
        if new:
            inodes = {one.inode for one in sockets.listeners(self._port)}
            self._workers |= {pid for pid in new if _sockets(pid) & inodes}
        return ""

    def _of_time(self, tree: list[int]) -> str:
        now, used = time.monotonic(), sum(map(usage.cpu_ns, tree)) / 1e9
        since, before = self._active
        share = abs(used - before) / IDLE_SECONDS  # less when some have ended
        if share > IDLE_SHARE or any(map(usage.wants_cpu, tree)):
            self._active = now, used
        elif now - since > IDLE_SECONDS:
            return "for %.0f s it has done nothing" % IDLE_SECONDS
        return ""
