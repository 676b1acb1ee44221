"""The worker class."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable
from typing import Any

from gunicorn.arbiter import Arbiter
from gunicorn.glogging import Logger
from gunicorn.http.wsgi import WSGIErrorsWrapper
from gunicorn.workers.base import Worker as BaseWorker

from wsgibench import native
from wsgibench.errors import WsgibenchError
from wsgibench.gunicorn import requests, settings
from wsgibench.native import wrappers
from wsgibench.native.access_log import AccessLog
from wsgibench.native.contract import Application, CoreServer
from wsgibench.native.forks import SignalHandlers, end_child
from wsgibench.native.heartbeat import beat_while_alive
from wsgibench.native.running import run
from wsgibench.native.server import make_core
from wsgibench.native.unpatched import check_threads

#: Seconds between two looks for gunicorn's parent, if it has no timeout.
LOOK = 1.0
#: Exit codes of a worker at which gunicorn ends the whole service.
FAILED_START = (Arbiter.WORKER_BOOT_ERROR, Arbiter.APP_LOAD_ERROR)


def _nothing() -> None:
    pass


class Errors(WSGIErrorsWrapper):  # type: ignore[misc]  # no types
    """wsgi.errors, and where the bindings tell of exceptions."""

    def __init__(self, worker: Worker) -> None:
        super().__init__(worker.cfg)
        self._log = worker.log

    def flush(self) -> None:
        """Each write is."""

    def writelines(self, lines: Any) -> None:
        for line in lines:
            self.write(line)

    def log_exception(self, request: str, error: BaseException) -> None:
        self._log.error(
            "Error handling request %s",
            request,
            exc_info=(type(error), error, error.__traceback__),
        )


class Worker(BaseWorker):  # type: ignore[misc]  # gunicorn has no types
    """Serves each of gunicorn's sockets with a C server of its own."""

    def init_process(self) -> None:
        # Before the worker counts as booted: gunicorn then gives up instead
        # of starting it again and again.
        try:
            settings.check(self.cfg)
            self.core_settings = settings.for_core(self.cfg)
            native.binding()
        except WsgibenchError as error:
            self.log.error("%s", error)
            sys.exit(Arbiter.APP_LOAD_ERROR)
        super().init_process()

    # gunicorn says by this attribute that it is time to go: in its handler of
    # SIGTERM, and when its reloader has seen a change.
    @property
    def alive(self) -> bool:
        return self._alive

    @alive.setter
    def alive(self, alive: bool) -> None:
        self._alive = alive
        if not alive:
            self._stop(float(self.cfg.graceful_timeout))

    def _stop(self, grace: float) -> None:
        cores: list[CoreServer] = getattr(self, "cores", [])
        if cores:
            for sock in self.sockets:
                sock.close()  # the parent's and other workers' stay open
        for core in cores:
            core.stop(grace)

    def run(self) -> None:
        threads = self.cfg.threads if self.cfg.threads > 1 else 0
        self.access_log: AccessLog | None = None
        app = self._wrap(self.wsgi)
        try:
            if self.cfg.accesslog and not self._python_logs():
                self.access_log = self._open_access_log()
            check_threads(threads)
            self.cores = [
                self._make_core(app, sock.sock, threads)
                for sock in self.sockets
            ]
        except WsgibenchError as error:
            self.log.error("%s", error)
            sys.exit(Arbiter.APP_LOAD_ERROR)
        # Signals end a poll, so that the handlers of the base class run.
        handlers = SignalHandlers(
            {}, self.cores[0].wake_fd(), dict.fromkeys(self.SIGNALS)
        )
        pid = os.getpid()
        end_beat: Callable[[], None] = _nothing
        try:
            # gunicorn kills a worker that does not notify it for its timeout.
            end_beat = beat_while_alive(
                self.cores, threads, self.cfg.timeout or LOOK, self._beat
            )
            if not self.alive:
                self._stop(0.0)  # a signal has been faster
            with handlers:
                run(self.cores, threads)
        except WsgibenchError as error:  # of the start: no thread, for one
            self.log.error("%s", error)
            sys.exit(Arbiter.APP_LOAD_ERROR)
        except BaseException as error:
            # What goes further is gunicorn's supervisor, which this process
            # was forked from: it would stop the others.
            if os.getpid() != pid:
                end_child(error)  # the application forked it
            if isinstance(error, KeyboardInterrupt):
                self.log.exception("The application was interrupted.")
            elif isinstance(error, SystemExit) and error.code in FAILED_START:
                self.log.error("The application exited: %s.", error.code)
            else:
                raise
            sys.exit(1)
        finally:
            end_beat()
            for core in self.cores:
                core.close()

    def _open_access_log(self) -> AccessLog:
        """It may be one that only gunicorn's parent can open, and has."""
        path = self.cfg.accesslog
        try:
            return AccessLog(path, "combined")
        except WsgibenchError:
            for handler in self.log.access_log.handlers:
                stream = getattr(handler, "stream", None)
                if stream is not None:
                    return AccessLog(path, "combined", os.dup(stream.fileno()))
            raise

    def _make_core(
        self, app: Application, sock: socket.socket, threads: int
    ) -> CoreServer:
        return make_core(
            app,
            sock,
            threads=threads,
            multiprocess=self.cfg.workers > 1,
            log=self.access_log,
            error_stream=Errors(self),
            settings=self.core_settings,
        )

    def _beat(self) -> None:
        self.notify()
        if self.alive and self.ppid != os.getppid():
            self.log.info("Parent changed, shutting down: %s", self)
            self.alive = False

    # Requests ---------------------------------------------------------------

    def _python_logs(self) -> bool:
        """Does anything but a plain file of plain lines want the requests?"""
        cfg = self.cfg
        if type(self.log) is not Logger or getattr(cfg, "statsd_host", None):
            return True
        if cfg.logconfig or cfg.logconfig_dict or cfg.syslog:
            return True
        if getattr(cfg, "logconfig_json", None):
            return True
        return not settings.is_default(cfg, "access_log_format")

    def _is_observed(self) -> bool:
        """The default of pre_request writes a line, where that is asked
        for."""
        return (
            self.cfg.loglevel.lower() == "debug"
            or not settings.is_default(self.cfg, "pre_request")
            or not settings.is_default(self.cfg, "post_request")
        )

    def _wrap(self, app: Application) -> Application:
        cfg = self.cfg
        logs = self._python_logs()
        if logs or self._is_observed():
            app = requests.observed(app, self, logs)
        script_name = os.environ.get("SCRIPT_NAME", "")
        app = requests.forwarded(app, cfg, script_name)
        if cfg.sendfile is False:
            app = requests.without_sendfile(app)
        if not cfg.keepalive:
            app = requests.without_keepalive(app)
        if self.max_requests < sys.maxsize:
            app = wrappers.counted(app, self.max_requests, self._autorestart)
        return app

    def _autorestart(self) -> None:
        self.log.info("Autorestarting worker after current request.")
        self.alive = False

    # Signals (SIGTERM only clears self.alive) -------------------------------

    def handle_quit(self, sig: int, frame: Any) -> None:
        # Not by SystemExit, as the base class does: it might be raised in
        # the application, where it is an error of that request.
        self.cfg.worker_int(self)
        self._alive = False
        self._stop(0.0)
        if not hasattr(self, "cores"):
            sys.exit(0)  # while it is started

    def handle_usr1(self, sig: int, frame: Any) -> None:
        log: AccessLog | None = getattr(self, "access_log", None)
        if log is not None:
            log.reopen()
        try:
            super().handle_usr1(sig, frame)
        except OSError:
            # A file that only gunicorn's parent can open: the next worker
            # inherits it.
            self.alive = False
