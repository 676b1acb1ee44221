"""A worker class for gunicorn: ``gunicorn -k wsgibench.gunicorn.Worker``.

gunicorn forks, binds, reloads and watches; the worker serves with the C
server. What it takes from gunicorn's settings:

    threads               above 1: so many threads beside the loop
    worker_connections    connections at once
    keepalive             seconds between requests of one connection
    graceful_timeout      for what is under way at the end
    limit_request_line, limit_request_fields
    max_requests, max_requests_jitter
    certfile, keyfile     HTTPS
    accesslog             written by the C server, in the combined format
    timeout               a loop that does not turn for so long is killed

Anything else of the C server (``wsgibench.native.settings``) is set through
the environment variable WSGIBENCH_SETTINGS: "head_timeout=5 max_head=9000".
"""

from __future__ import annotations

import os
import select
import socket
import threading
import time
from typing import Any

from gunicorn.http.wsgi import WSGIErrorsWrapper
from gunicorn.workers.base import Worker as BaseWorker

from wsgibench import native
from wsgibench.errors import UsageError
from wsgibench.native.access_log import AccessLog
from wsgibench.native.contract import CoreServer
from wsgibench.native.forks import SignalHandlers
from wsgibench.native.heartbeat import beat_while_alive
from wsgibench.native.server import make_core
from wsgibench.native.settings import BY_NAME

#: Seconds between two looks at what gunicorn's parent wants.
LOOK = 1.0
MAX_LINE = 1 << 20


def from_environment() -> dict[str, Any]:
    settings: dict[str, Any] = {}
    for part in os.environ.get("WSGIBENCH_SETTINGS", "").split():
        name, equals, value = part.partition("=")
        if not equals or name not in BY_NAME:
            raise UsageError(
                "WSGIBENCH_SETTINGS is like 'head_timeout=5 max_head=9000', "
                "not %r." % part
            )
        kind = BY_NAME[name]
        read = str if kind.text else float if kind.seconds else int
        settings[name] = read(value)
    return settings


def from_config(cfg: Any) -> dict[str, Any]:
    """gunicorn's settings as ours."""
    settings: dict[str, Any] = {
        "backlog": -1,  # it listens already
        "idle_timeout": cfg.keepalive,
        "max_connections": cfg.worker_connections,
        "max_line": cfg.limit_request_line or MAX_LINE,
        "max_fields": cfg.limit_request_fields,
    }
    if cfg.is_ssl:
        settings.update(certfile=cfg.certfile, keyfile=cfg.keyfile)
    settings.update(from_environment())
    return settings


class Worker(BaseWorker):  # type: ignore[misc]  # gunicorn has no types
    """Serves each of gunicorn's sockets with a C server of its own."""

    def init_process(self) -> None:
        # Before the worker counts as booted: gunicorn then gives up instead
        # of starting it again and again.
        from_config(self.cfg)
        native.binding()
        super().init_process()

    def run(self) -> None:
        self.threads = self.cfg.threads if self.cfg.threads > 1 else 0
        self.quick = False
        self.stopping = False
        self.looked = 0.0
        self.access_log: AccessLog | None = None
        if self.cfg.accesslog:
            self.access_log = AccessLog(self.cfg.accesslog, "combined")
        self.cores = [self._make_core(sock.sock) for sock in self.sockets]
        # Signals end a poll, so that the handlers of the base class run.
        handlers = SignalHandlers(
            {}, self.cores[0].wake_fd(), dict.fromkeys(self.SIGNALS)
        )
        # gunicorn kills a worker that does not notify it for its timeout.
        end_beat = beat_while_alive(
            self.cores, self.threads, self.cfg.timeout or LOOK, self.notify
        )
        try:
            with handlers:
                self._serve()
        finally:
            end_beat()
            for core in self.cores:
                core.close()

    def _make_core(self, sock: socket.socket) -> CoreServer:
        return make_core(
            self.wsgi,
            sock,
            threads=self.threads,
            multiprocess=self.cfg.workers > 1,
            log=self.access_log,
            error_stream=WSGIErrorsWrapper(self.cfg),
            settings=from_config(self.cfg),
        )

    # Signals (SIGTERM only clears self.alive) -------------------------------

    def handle_quit(self, sig: int, frame: Any) -> None:
        # Not by SystemExit, as the base class does: it might be raised in
        # the application, where it is an error of that request.
        self.quick = True
        self.alive = False
        self.cfg.worker_int(self)

    def handle_usr1(self, sig: int, frame: Any) -> None:
        if self.access_log is not None:
            self.access_log.reopen()
        super().handle_usr1(sig, frame)

    # The loop ---------------------------------------------------------------

    def _serve(self) -> None:
        if self.threads:
            self._serve_in_threads()
        elif len(self.cores) == 1:
            self._serve_one(self.cores[0])
        else:
            self._serve_several()

    def _keep_up(self) -> None:
        """After each turn: is it time to stop?"""
        now = time.monotonic()
        if now - self.looked >= LOOK:
            self.looked = now
            if self.ppid != os.getppid():
                self.log.info("Parent changed, shutting down: %s", self)
                self.alive = False
        if self.nr >= self.max_requests and self.alive:
            self.log.info("Autorestarting worker after current request.")
            self.alive = False
        if not self.alive and not self.stopping:
            self._stop()
        elif self.quick:
            self.quick = False
            for core in self.cores:
                core.stop(0.0)

    def _stop(self) -> None:
        self.stopping = True
        grace = 0.0 if self.quick else float(self.cfg.graceful_timeout)
        for sock in self.sockets:
            sock.close()  # the parent's and other workers' stay open
        for core in self.cores:
            core.stop(grace)

    def _serve_one(self, core: CoreServer) -> None:
        served = 0
        while served >= 0:
            self.nr += served
            self._keep_up()
            served = core.turn(LOOK)

    def _serve_several(self) -> None:
        """Cores share this thread: the application is never called twice at
        once."""
        waiting = {core.fileno(): core for core in self.cores}
        poller = select.poll()
        for fd in waiting:
            poller.register(fd, select.POLLIN)
        while waiting:
            for fd, core in list(waiting.items()):
                served = core.turn(0)
                if served < 0:
                    poller.unregister(fd)
                    del waiting[fd]
                else:
                    self.nr += served
            self._keep_up()
            due = [core.timeout() for core in waiting.values()]
            poller.poll(1000 * min([LOOK, *(t for t in due if t is not None)]))

    def _serve_in_threads(self) -> None:
        alive = [
            threading.Thread(target=target, daemon=True)
            for core in self.cores
            for target in [core.run_loop] + [core.run_worker] * self.threads
        ]
        for thread in alive:
            thread.start()
        while alive:
            self.nr = sum(core.stats()["requests"] for core in self.cores)
            self._keep_up()
            alive[0].join(0.1)  # signal handlers run between these
            alive = [thread for thread in alive if thread.is_alive()]
