"""The supervisor: processes that share the listening sockets.

It forks them, waits, and replaces one that ends; one that keeps dying is
replaced ever more slowly, and one that is stuck is ended. New code (SIGHUP)
comes by new workers: the old ones are told to finish when the new ones are
ready, so that somebody serves all the time; if the new ones cannot start, the
old ones go on.

A worker's life: forked -> ready -> (retired) -> ended. ``fresh`` are those
that count: of the newest generation, and not asking to be replaced.
"""

from __future__ import annotations

import collections
import contextlib
import faulthandler
import os
import random
import select
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

from wsgibench.errors import UsageError, WsgibenchError
from wsgibench.native import reports, signals
from wsgibench.native.forks import end_child
from wsgibench.native.heartbeat import Heartbeats, period
from wsgibench.native.log import logger
from wsgibench.native.notify import Notifier
from wsgibench.native.reports import Report

#: Seconds: a worker that lived less is held to be crashing.
YOUNG = 1.0
MAX_PAUSE = 10.0
#: Beyond that many, a crash more changes no pause.
MANY_CRASHES = 10
#: Seconds a stuck worker has for writing down where it is stuck.
LAST_WORDS = 2.0
#: Seconds on top of the grace, until a worker is killed.
MARGIN = 1.0
MAX_WORKERS = 1024
#: Of old and new workers, while they change.
MAX_PLACES = 4 * MAX_WORKERS

#: Runs in the worker: (its number, how it reaches the supervisor).
RunWorker = Callable[[int, "Contact"], None]


@dataclass
class Worker:
    number: int  # below the number of workers
    place: int  # of its heartbeat
    generation: int
    started: float
    ready: bool = False
    asked: bool = False  # wants to be replaced (max_requests)
    retired: bool = False  # was told to finish
    kill_at: float | None = None
    error: WsgibenchError | None = None  # why it could not start


@dataclass(frozen=True)
class Contact:
    """A worker's way to its supervisor."""

    reports: int  # descriptor
    place: int
    beats: Heartbeats
    parent: int  # the supervisor's pid

    def beat(self) -> None:
        self.beats.beat(self.place)

    def report(self, kind: int, text: str = "") -> None:
        reports.send(self.reports, kind, text)

    def must_finish(self) -> bool:
        """Not only drain: the supervisor says so, or is gone."""
        return (
            self.beats.must_finish(self.place) or os.getppid() != self.parent
        )


def ending(status: int) -> str:
    """A wait status in words."""
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        with contextlib.suppress(ValueError):
            return "signal %d, %s" % (number, signal.Signals(number).name)
        return "signal %d" % number
    return "exit code %d" % os.WEXITSTATUS(status)


class Supervisor:
    def __init__(
        self,
        run_worker: RunWorker,
        *,
        workers: int,
        grace: float,
        hang_timeout: float = 0.0,
        drain_delay: float = 0.0,
        least: int = 1,
        on_stop: Callable[[], None] = lambda: None,
        on_ready: Callable[[], None] = lambda: None,
        on_reopen: Callable[[], None] = lambda: None,
        on_end: Callable[[int], None] = lambda place: None,
        notifier: Notifier | None = None,
    ) -> None:
        self._on_stop = on_stop
        self._on_ready = on_ready
        self._on_reopen = on_reopen
        self._on_end = on_end  # of a worker, with its place
        self._run_worker = run_worker
        self._notifier = notifier or Notifier()
        self._wanted = workers
        self._least = least
        self._grace = grace
        self._hang_timeout = hang_timeout
        self._drain_delay = drain_delay
        self._beats = Heartbeats(MAX_PLACES)
        self._workers: dict[int, Worker] = {}  # by pid
        self._generation = 0
        self._signals: collections.deque[int] = collections.deque()
        self._stops = 0  # how often it was asked
        self._close_at: float | None = None  # the listeners
        self._looked = 0.0  # for workers that are stuck
        self._began = False  # a first worker was ready
        self._settled = False  # and all were; of this generation
        self._failure: WsgibenchError | None = None
        self._crashes = 0
        self._not_before = 0.0

    def run(self) -> None:
        """Until all workers have ended. The error of a first worker that
        could not start is raised."""
        wake_read, wake_write = os.pipe()
        self._reports, self._report_fd = os.pipe()
        for fd in (wake_read, wake_write, self._reports):
            os.set_blocking(fd, False)
        numbers = (*signals.STOPS, *signals.OTHERS, signal.SIGCHLD)
        handlers = {n: self._note_signal(n) for n in numbers}
        try:
            with signals.handling(wake_write, handlers):
                while not self._stops or self._workers:
                    self._turn()
                    self._sleep(wake_read)
        finally:
            fds = (wake_read, wake_write, self._reports, self._report_fd)
            for fd in fds:
                os.close(fd)
        if self._failure is not None:
            raise self._failure

    def _turn(self) -> None:
        while self._signals:
            self._obey(self._signals.popleft())
        self._hear()
        self._reap()
        self._retire_replaced()
        self._fill()
        self._enforce_deadlines()
        self._settle()
        if self._began and not self._stops:
            self._notifier.alive()

    def _sleep(self, wake_read: int) -> None:
        if self._signals or (self._stops and not self._workers):
            return
        select.select([wake_read, self._reports], [], [], self._patience())
        with contextlib.suppress(BlockingIOError):
            while os.read(wake_read, 512):
                pass

    def _patience(self) -> float:
        """Seconds until there is something to look at anyway."""
        now = time.monotonic()
        due = [w.kill_at for w in self._workers.values() if w.kill_at]
        if self._close_at is not None:
            due.append(self._close_at)
        if not self._stops and len(self._fresh()) < self._wanted:
            due.append(self._not_before)
        left = min([1.0, *(at - now for at in due)])
        if self._hang_timeout:
            left = min(left, period(self._hang_timeout))
        if self._notifier.period:
            left = min(left, self._notifier.period / 2)
        return max(0.01, left)

    # Signals ----------------------------------------------------------------

    def _note_signal(self, number: int) -> Callable[[], None]:
        return lambda: self._signals.append(number)

    def _obey(self, number: int) -> None:
        name = signal.Signals(number).name
        if number in signals.STOPS:
            logger.info("%s: stopping", name)
            self._stop(at_once=number == signal.SIGQUIT)
        elif self._stops:
            return
        elif number == signal.SIGHUP:
            self._renew()
        elif number == signal.SIGUSR1:
            self._on_reopen()
            self._signal_all(number)
        elif number == signal.SIGTTIN:
            self._want(self._wanted + 1)
        elif number == signal.SIGTTOU:
            self._want(self._wanted - 1)

    def _signal_all(self, number: int) -> None:
        for pid, worker in list(self._workers.items()):
            if number == signal.SIGQUIT and not worker.ready:
                self._signal(pid, signal.SIGTERM)  # without a core file
            else:
                self._signal(pid, number)

    def _signal(self, pid: int, number: int) -> None:
        # Ended, but not waited for yet: the pid cannot be another's.
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)

    def _stop(self, at_once: bool) -> None:
        now = time.monotonic()
        self._stops += 1
        if self._stops == 1:
            self._notifier.stopping()
        if at_once or self._stops > 1:
            self._close(signal.SIGQUIT, 0.0)
        elif self._drain_delay:
            self._close_at = now + self._drain_delay
            self._signal_all(signal.SIGTERM)
        else:
            self._close(signal.SIGTERM, self._grace)

    def _close(self, number: int, grace: float) -> None:
        """Let no more clients in; then who is in may be served."""
        self._close_at = None
        self._on_stop()
        for worker in self._workers.values():
            self._beats.finish(worker.place)
            worker.kill_at = time.monotonic() + grace + MARGIN
        self._signal_all(number)

    def _want(self, workers: int) -> None:
        if workers < self._least:
            logger.warning(
                "%d workers are the least; SIGTTOU changes nothing.",
                self._least,
            )
        elif workers > MAX_WORKERS:
            logger.warning("%d workers are the most.", MAX_WORKERS)
        else:
            self._wanted = workers
            logger.info("%d workers are wanted", workers)

    def _renew(self) -> None:
        logger.info("SIGHUP: starting new workers")
        self._notifier.reloading()
        self._on_reopen()
        self._generation += 1
        self._settled = False
        self._crashes = 0
        self._not_before = 0.0
        for pid, worker in self._workers.items():
            if not worker.ready:  # it reads code that is old by now
                self._retire(pid, worker)

    # What workers say -------------------------------------------------------

    def _hear(self) -> None:
        for report in reports.receive(self._reports):
            worker = self._workers.get(report.pid)
            if worker is not None:
                self._note_report(worker, report)

    def _note_report(self, worker: Worker, report: Report) -> None:
        if report.kind == reports.READY:
            worker.ready = True
            self._beats.beat(worker.place)
        elif report.kind == reports.REPLACE:
            worker.asked = True
        elif report.kind == reports.CHANGED:
            logger.info("%s", report.text)
            self._generation += 1
            for pid, other in self._workers.items():
                self._retire(pid, other)
        elif report.kind == reports.USAGE:
            worker.error = UsageError(report.text)
        elif report.kind == reports.ERROR:
            worker.error = WsgibenchError(report.text)

    def _settle(self) -> None:
        """Have all that are wanted started?"""
        if self._settled or self._stops:
            return
        ready = [w for w in self._fresh() if w.ready]
        self._began = self._began or bool(ready)
        if len(ready) >= self._wanted:
            self._settled = True
            self._on_ready()
            self._notifier.ready("%d workers" % len(ready))

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
            self._hear()  # its last words may still be in the pipe
            worker = self._workers.pop(pid, None)
            if worker is not None:
                self._on_end(worker.place)
            if worker is not None and not self._stops:
                self._note_end(pid, worker, status)

    def _note_end(self, pid: int, worker: Worker, status: int) -> None:
        if worker.retired:
            logger.debug("worker %d ended (%s)", pid, ending(status))
            return
        if not worker.ready:
            self._note_failed_start(pid, worker, status)
            return
        level = logger.warning if status else logger.info
        level("worker %d ended (%s); replacing it", pid, ending(status))
        if time.monotonic() - worker.started < YOUNG:
            self._pause()
        else:
            self._crashes = 0

    def _pause(self) -> None:
        self._crashes = min(self._crashes + 1, MANY_CRASHES)
        pause = min(MAX_PAUSE, 0.1 * 2.0**self._crashes)
        self._not_before = time.monotonic() + pause

    def _note_failed_start(
        self, pid: int, worker: Worker, status: int
    ) -> None:
        error = worker.error or WsgibenchError(
            "worker %d ended while it started (%s)." % (pid, ending(status))
        )
        if not self._began:
            self._failure = error
            self._stop(at_once=True)
            return
        logger.error("%s", error)
        older = [
            w
            for w in self._workers.values()
            if w.ready and not w.retired and w.generation < self._generation
        ]
        if older and not self._settled:
            logger.error("the new code does not start; the old workers go on")
            for pid, other in self._workers.items():
                if not other.ready:
                    self._retire(pid, other)
                other.generation = self._generation
            self._settled = True
            self._notifier.ready("a reload failed: %s" % error)
        else:
            self._pause()

    def _retire(self, pid: int, worker: Worker) -> None:
        """The service goes on without it."""
        if not worker.retired:
            worker.retired = True
            worker.kill_at = time.monotonic() + self._grace + MARGIN
            self._beats.finish(worker.place)
            self._signal(pid, signal.SIGTERM)

    def _retire_replaced(self) -> None:
        if self._stops:
            return
        fresh = self._fresh()
        ready = sum(worker.ready for worker in fresh)
        for pid, worker in list(self._workers.items()):
            if worker.retired or worker in fresh:
                continue
            others = [
                w
                for w in self._workers.values()
                if w.ready and not w.retired and w is not worker
            ]
            if ready and len(others) >= self._wanted:
                self._retire(pid, worker)
        # Fewer are wanted: the last ones go.
        by_number = sorted(fresh, key=lambda worker: worker.number)
        for pid, worker in list(self._workers.items()):
            if worker in by_number[self._wanted :]:
                self._retire(pid, worker)

    def _forgive_a_pause(self, now: float) -> None:
        """Where this process was not let run (a paused container, a machine
        that sleeps), its workers were not either: none of them is stuck."""
        if now - self._looked > 3 * period(self._hang_timeout):
            for worker in self._workers.values():
                self._beats.beat(worker.place)
        self._looked = now

    def _enforce_deadlines(self) -> None:
        now = time.monotonic()
        if self._hang_timeout:
            self._forgive_a_pause(now)
        if self._close_at is not None and now >= self._close_at:
            self._close(signal.SIGTERM, self._grace)
        for pid, worker in self._workers.items():
            if worker.kill_at is not None and now > worker.kill_at:
                worker.kill_at = None
                self._signal(pid, signal.SIGKILL)
            elif (
                self._hang_timeout
                and worker.ready
                and worker.kill_at is None
                and self._beats.age(worker.place) > self._hang_timeout
            ):
                logger.error(
                    "worker %d has been stuck for %g seconds; ending it",
                    pid,
                    self._hang_timeout,
                )
                worker.kill_at = now + LAST_WORDS
                self._signal(pid, signal.SIGABRT)  # faulthandler's stacks

    # Births -----------------------------------------------------------------

    def _fresh(self) -> list[Worker]:
        return [
            worker
            for worker in self._workers.values()
            if not worker.retired
            and not worker.asked
            and worker.generation == self._generation
        ]

    def _fill(self) -> None:
        while (
            not self._stops
            and not self._signals
            and len(self._fresh()) < self._wanted
            and time.monotonic() >= self._not_before
        ):
            taken = {worker.number for worker in self._fresh()}
            number = min(set(range(self._wanted)) - taken)
            places = {worker.place for worker in self._workers.values()}
            place = next(n for n in range(MAX_PLACES) if n not in places)
            self._start(number, place)

    def _start(self, number: int, place: int) -> None:
        self._beats.begin(place)
        parent = os.getpid()
        with signals.blocked():
            try:
                pid = os.fork()
            except OSError as error:
                logger.error("cannot fork a worker: %s", error.strerror)
                self._pause()
                return
            if pid == 0:
                self._be_worker(number, place, parent)
            self._workers[pid] = Worker(
                number, place, self._generation, time.monotonic()
            )

    def _be_worker(self, number: int, place: int, parent: int) -> None:
        """In the child: never returns."""
        contact = Contact(self._report_fd, place, self._beats, parent)
        code, pid = 1, os.getpid()
        try:
            signals.reset_in_worker()
            self._workers.clear()
            os.close(self._reports)
            random.seed()
            signal.pthread_sigmask(signal.SIG_SETMASK, ())
            from wsgibench.orphans import end_with_parent

            end_with_parent(parent)  # nobody would stop or replace an orphan
            if self._hang_timeout:
                with contextlib.suppress(AttributeError, ValueError, OSError):
                    faulthandler.enable()  # no stderr: no last words
            self._run_worker(number, contact)
            code = 0
        except BaseException as error:
            if os.getpid() != pid:
                end_child(error)  # the application forked it
            code = self._tell_end(contact, error)
        finally:
            for stream in (sys.stdout, sys.stderr):
                with contextlib.suppress(Exception):
                    stream.flush()
            os._exit(code)

    def _tell_end(self, contact: Contact, error: BaseException) -> int:
        """In a worker that failed: its exit code."""
        if isinstance(error, WsgibenchError):
            is_usage = isinstance(error, UsageError)
            contact.report(
                reports.USAGE if is_usage else reports.ERROR, str(error)
            )
            return error.exit_code
        # What an application raised in a request is in the log already.
        told = isinstance(error, SystemExit)
        logger.critical("a worker failed", exc_info=None if told else error)
        text = "a worker failed: %s: %s." % (type(error).__name__, error)
        contact.report(reports.ERROR, text)
        return 1
