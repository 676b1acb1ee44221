"""A process that serves: alone, or as a worker of the supervisor."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any

from wsgibench.errors import WsgibenchError
from wsgibench.native import log, reload, reports, signals, sockets, wrappers
from wsgibench.native.access_log import AccessLog
from wsgibench.native.contract import Application, CoreServer
from wsgibench.native.heartbeat import beat_while_alive
from wsgibench.native.identity import Identity
from wsgibench.native.loading import load_app
from wsgibench.native.log import logger
from wsgibench.native.notify import Notifier
from wsgibench.native.observation import Observation
from wsgibench.native.options import Options
from wsgibench.native.running import get_ident, run
from wsgibench.native.server import make_core
from wsgibench.native.timer import Timer
from wsgibench.native.unpatched import check_threads
from wsgibench.native.workers import MARGIN, Contact
from wsgibench.orphans import end_with_parent


class Listeners:
    """The sockets of one service, for each address one, or one for each
    worker."""

    def __init__(self) -> None:
        self.addresses: list[list[socket.socket]] = []
        self._ours: list[socket.socket] = []  # of use to nobody else
        self._owner = os.getpid()

    def add(self, sockets_of_address: list[socket.socket], ours: bool) -> None:
        self.addresses.append(sockets_of_address)
        if ours:
            self._ours += sockets_of_address

    def of(self, worker: int, loops: int = 1) -> list[list[socket.socket]]:
        """For each loop of the worker, one for each address."""
        numbers = range(worker * loops, worker * loops + loops)
        return [
            [each[number % len(each)] for each in self.addresses]
            for number in numbers
        ]

    def all(self) -> Iterator[socket.socket]:
        for each in self.addresses:
            yield from each

    def seal(self) -> None:
        """Before the server is told to stop. A worker that ends alone leaves
        the socket to the others."""
        if os.getpid() == self._owner:
            for listener in self._ours:
                if listener.fileno() >= 0:
                    sockets.seal(listener)

    def close(self) -> None:
        """At once when a stop is asked for: nobody must be left waiting in a
        queue that none accepts from."""
        self.seal()
        for listener in self.all():
            listener.close()


class Service:
    """One call of ``serve``."""

    def __init__(
        self,
        app: Application | str,
        listeners: Listeners,
        options: Options,
        identity: Identity,
        workers: int,
        settings: dict[str, Any],
        observation: Observation,
    ) -> None:
        self.app = app
        self.observation = observation
        self.listeners = listeners
        self.options = options
        self.workers = workers
        self.settings = settings
        self.identity = identity
        self.announces = False
        self.draining = False
        self._cores: list[CoreServer] = []
        self._open = 0  # of the cores
        self._log: AccessLog | None = None
        # Of a process that serves alone:
        self._stops = 0
        self._timer: Timer | None = None
        self._main = get_ident()
        self._is_overdue = False
        self._runs = False

    # Making -----------------------------------------------------------------

    def open_log(self) -> AccessLog | None:
        if self.options.access_log is None:
            return None
        return AccessLog(self.options.access_log, self.options.log_format)

    def _make_core(self, app: Application, sock: socket.socket) -> CoreServer:
        return make_core(
            app,
            sock,
            threads=self.options.threads,
            loops=self.options.loops,
            multiprocess=self.workers > 1,
            log=self._log,
            error_stream=log.ErrorStream(),
            error_fd=log.descriptor(),
            on_close=self._on_core_close,
            settings=self.settings,
        )

    def _wrap(self, app: Application, contact: Contact | None) -> Application:
        options = self.options
        if options.max_requests and contact is not None:
            jitter = random.randint(0, options.max_requests_jitter)
            app = wrappers.counted(
                app,
                options.max_requests + jitter,
                lambda: contact.report(reports.REPLACE),
            )
        if options.health_path is not None:
            app = wrappers.with_health(
                app, options.health_path, lambda: self.draining
            )
        return app

    @contextlib.contextmanager
    def _serving(
        self, app: Application, number: int, contact: Contact | None
    ) -> Iterator[list[CoreServer]]:
        loops = self.options.loops
        check_threads(self.options.threads, loops)
        self._log = self.open_log()
        app = self._wrap(app, contact)
        try:
            for listeners in self.listeners.of(number, loops):
                for sock in listeners:
                    self._cores.append(self._make_core(app, sock))
                    self._open += 1
            yield self._cores
        finally:
            for core in self._cores:
                core.close()
            self._cores = []
            if not self._open and self._log is not None:
                self._log.close()

    def _on_core_close(self) -> None:
        """By the last call of the application, if that outlives serve()."""
        self._open -= 1
        if not self._open and self._log is not None:
            self._log.close()

    def _stop_cores(self, grace: float) -> None:
        for core in self._cores:
            core.stop(grace)

    def prepare_log(self) -> None:
        """As root, where workers are another: the file may stand in a folder
        in which they cannot make one."""
        for path in log.paths():
            self.identity.own(path)
        opened = self.open_log()
        if opened is not None:
            opened.close()
            if opened.path != "-":
                self.identity.own(opened.path)

    def reopen_logs(self) -> None:
        """In the supervisor, before the workers do it."""
        log.reopen()
        with contextlib.suppress(WsgibenchError):
            self.prepare_log()

    def _reopen(self) -> None:
        log.reopen()
        if self._log is not None:
            self._log.reopen()

    # As a worker ------------------------------------------------------------

    def run_worker(self, number: int, contact: Contact) -> None:
        began = time.time_ns()
        self.identity.take_on()
        end_with_parent(contact.parent)  # another user is another process

        def change(name: str) -> None:
            contact.report(
                reports.CHANGED, "%s changed; starting again" % name
            )

        extra = self.options.reload_extra_file
        try:
            app = self._load()
        except WsgibenchError as error:
            if not self.options.reload:
                raise
            logger.error("%s Waiting for a change.", error)
            change(reload.wait_after(error, began, extra))
            signal.pause()  # for the end
            return
        if self.options.reload:
            reload.watch(change, began, extra)
        with self._serving(app, number, contact) as cores:
            with self.observation.of(cores, contact.place):
                self._work(cores, contact)

    def _load(self) -> Application:
        if isinstance(self.app, str):
            return load_app(self.app, ".", self.options.factory)
        return self.app

    def _work(self, cores: list[CoreServer], contact: Contact) -> None:
        handlers = {
            signal.SIGTERM: lambda: self._on_term(contact),
            signal.SIGQUIT: lambda: self._stop_cores(0.0),
            signal.SIGUSR1: self._reopen,
        }
        options = self.options
        with contextlib.ExitStack() as stack:
            stack.enter_context(signals.handling(cores[0].wake_fd(), handlers))
            if options.hang_timeout:
                timeout, beat = options.hang_timeout, contact.beat
                stack.callback(
                    beat_while_alive(cores, options.threads, timeout, beat)
                )
            run(
                cores,
                options.threads,
                options.loops,
                lambda: contact.report(reports.READY),
            )

    def _on_term(self, contact: Contact) -> None:
        if self.options.drain_delay and not contact.must_finish():
            # The supervisor was told as well, and ends it in time; or only
            # this worker was, which then is one to be replaced.
            self.draining = True
            contact.report(reports.REPLACE)
            return
        self._stop_cores(self.options.grace)
        self.listeners.close()

    # Alone ------------------------------------------------------------------

    def run_alone(self, app: Application, notifier: Notifier) -> None:
        try:
            self._run_alone(app, notifier)
        except signals.Overdue:
            logger.warning(
                "the application has not come back in time; it is left"
            )

    def _run_alone(self, app: Application, notifier: Notifier) -> None:
        handlers: dict[signal.Signals, Callable[[], None]] = {
            signal.SIGTERM: lambda: self._stop_alone(notifier),
            signal.SIGINT: lambda: self._stop_alone(notifier),
            signal.SIGQUIT: self._quit_alone,
            signal.SIGHUP: self._cannot_renew,
            signal.SIGUSR1: self._reopen,
        }
        self.identity.take_on()

        def started() -> None:
            self.announce()
            notifier.ready("serving")

        with self._serving(app, 0, None) as cores:
            with contextlib.ExitStack() as stack:
                stack.enter_context(self.observation.of(cores, 0))
                self._timer = Timer("wsgibench-stop")
                stack.enter_context(
                    signals.handling(cores[0].wake_fd(), handlers)
                )
                stack.callback(self._timer.end)
                if notifier.period:
                    stack.callback(
                        beat_while_alive(
                            cores,
                            self.options.threads,
                            notifier.period,
                            notifier.alive,
                        )
                    )
                self._runs = True
                try:
                    options = self.options
                    run(cores, options.threads, options.loops, started)
                finally:
                    self._runs = False

    def _stop_alone(self, notifier: Notifier) -> None:
        self._stops += 1
        delay, grace = self.options.drain_delay, self.options.grace
        if self._stops > 1:
            self._finish(0.0)
            return
        notifier.stopping()
        if not delay:
            self._finish(grace)
            return
        self.draining = True
        assert self._timer is not None
        self._timer.after(delay, lambda: self._finish(grace))

    def _quit_alone(self) -> None:
        if self._is_overdue and self._runs:
            raise signals.Overdue
        self._finish(0.0)

    def _finish(self, grace: float) -> None:
        self.listeners.seal()
        self._stop_cores(grace)
        self.listeners.close()
        assert self._timer is not None
        self._timer.after(grace + MARGIN, self._leave)

    def _leave(self) -> None:
        """There is no supervisor that would kill this process: what the main
        thread is in ends by an exception of its signal handler. Again, should
        the application go on in spite of it."""
        self._is_overdue = True
        signal.pthread_kill(self._main, signal.SIGQUIT)
        assert self._timer is not None
        self._timer.after(MARGIN, self._leave)

    def _cannot_renew(self) -> None:
        self._reopen()
        if self.settings.get("certfile"):
            try:
                for core in self._cores:
                    core.tls_reload()
            except (OSError, ValueError) as error:
                logger.error("the old certificates stay: %s", error)
        logger.warning(
            "SIGHUP: serve() was given an object, which cannot be imported "
            "again; give it 'module:app' instead."
        )

    def announce(self) -> None:
        if not self.announces:
            return
        scheme = "https" if self.settings.get("certfile") else "http"
        for each in self.listeners.addresses:
            where = sockets.describe(each[0], scheme)
            logger.info("serving on %s (pid %d)", where, os.getpid())
