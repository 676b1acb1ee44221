"""workers=N: processes that share the listening socket.

The supervisor forks, waits, and replaces a worker that dies; one that keeps
dying is replaced ever more slowly, and one that is stuck is ended. SIGTERM
and SIGINT are passed on, and a worker that is not done after the grace is
killed. SIGUSR1 is passed on, too (see serve.py).
"""

from __future__ import annotations

import contextlib
import faulthandler
import os
import select
import signal
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from types import FrameType

from wsgibench.errors import WsgibenchError
from wsgibench.native.heartbeat import Heartbeats, period

#: Seconds: a worker that lived less is held to be crashing.
YOUNG = 1.0
MAX_PAUSE = 10.0
#: Seconds a stuck worker has for writing down where it is stuck.
LAST_WORDS = 2.0

STOPS = (signal.SIGTERM, signal.SIGINT)

#: Runs in the worker: (its number, the function that beats).
RunWorker = Callable[[int, Callable[[], None]], None]


@dataclass
class Worker:
    slot: int  # of its heartbeat
    started: float
    kill_at: float | None = None  # it was found stuck


def say(text: str) -> None:
    print("wsgibench: " + text, file=sys.stderr, flush=True)


class Supervisor:
    def __init__(
        self,
        run_worker: RunWorker,
        *,
        workers: int,
        grace: float,
        hang_timeout: float = 0.0,
        on_stop: Callable[[], None] = lambda: None,
    ) -> None:
        self._on_stop = on_stop
        self._run_worker = run_worker
        self._wanted = workers
        self._grace = grace
        self._hang_timeout = hang_timeout
        self._beats = Heartbeats(workers)
        self._workers: dict[int, Worker] = {}  # by pid
        self._stop_asked = 0
        self._kill_at: float | None = None
        self._crashes = 0
        self._not_before = 0.0

    def run(self, on_ready: Callable[[], None] = lambda: None) -> None:
        """Until all workers have ended. ``on_ready`` is called when signals
        are handled and the workers are there."""
        wake_read, wake_write = os.pipe()
        for fd in (wake_read, wake_write):
            os.set_blocking(fd, False)
        handlers = {
            signal.SIGTERM: self._on_stop_signal,
            signal.SIGINT: self._on_stop_signal,
            signal.SIGUSR1: self._pass_on,
            signal.SIGCHLD: lambda number, frame: None,  # it ends the sleep
        }
        old = {n: signal.signal(n, handlers[n]) for n in handlers}
        old_fd = signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
        try:
            self._fill()
            on_ready()
            while not self._stop_asked or self._workers:
                self._reap()
                self._fill()
                self._end_the_stuck()
                self._enforce_grace()
                self._sleep(wake_read)
        finally:
            for number, handler in old.items():
                signal.signal(number, handler)
            signal.set_wakeup_fd(old_fd)
            os.close(wake_read)
            os.close(wake_write)

    # Signals ----------------------------------------------------------------

    def _signal_all(self, number: int) -> None:
        for pid in list(self._workers):
            # Ended, but not waited for yet: the pid cannot be another's.
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def _on_stop_signal(self, number: int, frame: FrameType | None) -> None:
        self._stop_asked += 1
        grace = self._grace if self._stop_asked == 1 else 0.0
        self._kill_at = time.monotonic() + grace + 1.0
        self._on_stop()
        self._signal_all(signal.SIGTERM)

    def _pass_on(self, number: int, frame: FrameType | None) -> None:
        self._signal_all(number)

    def _sleep(self, wake_read: int) -> None:
        if self._stop_asked and not self._workers:
            return
        timeout = 1.0
        missing = len(self._workers) < self._wanted
        dying = any(w.kill_at is not None for w in self._workers.values())
        if missing or dying or self._kill_at is not None:
            timeout = 0.05
        elif self._hang_timeout:
            timeout = period(self._hang_timeout)
        select.select([wake_read], [], [], timeout)
        with contextlib.suppress(BlockingIOError):
            while os.read(wake_read, 512):
                pass

    # Ends -------------------------------------------------------------------

    def _reap(self) -> None:
        while self._workers:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                self._workers.clear()
                return
            if pid == 0:
                return
            self._note_end(pid, status)

    def _note_end(self, pid: int, status: int) -> None:
        worker = self._workers.pop(pid, None)
        if worker is None or self._stop_asked:
            return
        say("worker %d ended (status %d); replacing it" % (pid, status))
        now = time.monotonic()
        if now - worker.started < YOUNG:
            self._crashes += 1
            pause = min(MAX_PAUSE, 0.1 * 2.0**self._crashes)
            self._not_before = now + pause
        else:
            self._crashes = 0

    def _end_the_stuck(self) -> None:
        now = time.monotonic()
        for pid, worker in self._workers.items():
            if worker.kill_at is not None:
                if now > worker.kill_at:
                    os.kill(pid, signal.SIGKILL)
            elif (
                self._hang_timeout
                and not self._stop_asked
                and self._beats.age(worker.slot) > self._hang_timeout
            ):
                say(
                    "worker %d has been stuck for %g seconds; ending it"
                    % (pid, self._hang_timeout)
                )
                worker.kill_at = now + LAST_WORDS
                os.kill(pid, signal.SIGABRT)  # faulthandler says where

    def _enforce_grace(self) -> None:
        if self._kill_at is not None and time.monotonic() > self._kill_at:
            self._signal_all(signal.SIGKILL)

    # Births -----------------------------------------------------------------

    def _fill(self) -> None:
        while (
            not self._stop_asked
            and len(self._workers) < self._wanted
            and time.monotonic() >= self._not_before
        ):
            taken = {worker.slot for worker in self._workers.values()}
            slot = min(set(range(self._wanted)) - taken)
            self._beats.beat(slot)
            # A signal between fork and _be_worker() would run the
            # supervisor's handler in the worker.
            signal.pthread_sigmask(signal.SIG_BLOCK, STOPS)
            parent = os.getpid()
            pid = os.fork()
            if pid == 0:
                self._be_worker(slot, parent)
            self._workers[pid] = Worker(slot, time.monotonic())
            signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPS)

    def _be_worker(self, slot: int, parent: int) -> None:
        """In the child: never returns."""
        code = 1
        try:
            signal.set_wakeup_fd(-1)
            for number in (*STOPS, signal.SIGCHLD):
                signal.signal(number, signal.SIG_DFL)
            signal.signal(signal.SIGUSR1, signal.SIG_IGN)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPS)
            from wsgibench.orphans import end_with_parent

            end_with_parent(parent)  # nobody would stop or replace an orphan
            if self._hang_timeout:
                with contextlib.suppress(AttributeError, ValueError, OSError):
                    faulthandler.enable()  # no stderr: no last words
            self._run_worker(slot, lambda: self._beats.beat(slot))
            code = 0
        except WsgibenchError as error:
            say(str(error))
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
