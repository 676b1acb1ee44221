"""serve(): run a server in this process until a signal ends it.

SIGTERM and SIGINT finish what is under way, for at most ``grace`` seconds; a
second signal ends at once. SIGUSR1 reopens the access log after a rotation.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

from wsgibench import native
from wsgibench.errors import UsageError, WsgibenchError
from wsgibench.native import sockets
from wsgibench.native.access_log import AccessLog
from wsgibench.native.contract import Application, CoreServer
from wsgibench.native.heartbeat import beat_while_alive
from wsgibench.native.server import make_core
from wsgibench.native.workers import Supervisor

SIGNALS = (signal.SIGTERM, signal.SIGINT)


@contextlib.contextmanager
def stopping_on_signals(
    core: CoreServer,
    grace: float,
    before_stop: Callable[[], None] = lambda: None,
    on_stop: Callable[[], None] = lambda: None,
    on_usr1: Callable[[], None] | None = None,
) -> Iterator[None]:
    """While inside, SIGTERM and SIGINT stop the server."""
    asked = 0

    def stop(number: int, frame: FrameType | None) -> None:
        nonlocal asked
        asked += 1
        before_stop()
        core.stop(grace if asked == 1 else 0)
        on_stop()

    handlers: dict[int, Any] = dict.fromkeys(SIGNALS, stop)
    if on_usr1 is not None:
        handlers[signal.SIGUSR1] = lambda number, frame: on_usr1()
    old_fd = signal.set_wakeup_fd(core.wake_fd(), warn_on_full_buffer=False)
    old = {n: signal.signal(n, handler) for n, handler in handlers.items()}
    try:
        yield
    finally:
        for number, handler in old.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(old_fd)


def run_core(core: CoreServer, threads: int) -> None:
    """Serve in this thread and its helpers until the server has stopped."""
    if not threads:
        core.run()
        return
    targets = [core.run_loop] + [core.run_worker] * threads
    running = [threading.Thread(target=t, daemon=True) for t in targets]
    for thread in running:
        thread.start()
    # Short waits: signal handlers run between them, in this thread.
    for thread in running:
        while thread.is_alive():
            thread.join(0.1)


class Service:
    """One call of ``serve``: the listener, and what runs on it."""

    def __init__(
        self,
        app: Application,
        listeners: list[socket.socket],
        *,
        threads: int,
        workers: int,
        ours: bool,
        grace: float,
        hang_timeout: float,
        access_log: str | None,
        log_format: str,
        announce: bool,
        settings: dict[str, Any],
    ) -> None:
        self.app = app
        self.listeners = listeners  # one, or one for each worker
        self.threads = threads
        self.workers = workers
        self.ours = ours  # made here, and of use to nobody else
        self.grace = grace
        self.hang_timeout = hang_timeout
        self.access_log = access_log
        self.log_format = log_format
        self.announce = announce
        self.settings = settings
        self.owner = os.getpid()

    def seal_listeners(self) -> None:
        """Before the server is told to stop. A worker that ends alone leaves
        the socket to the others."""
        if self.ours and os.getpid() == self.owner:
            for listener in self.listeners:
                if listener.fileno() >= 0:
                    sockets.seal(listener)

    def close_listeners(self) -> None:
        """At once when a stop is asked for: nobody must be left waiting in a
        queue that none accepts from."""
        self.seal_listeners()
        for listener in self.listeners:
            listener.close()

    def _make_core(self, worker: int, log: AccessLog | None) -> CoreServer:
        try:
            return make_core(
                self.app,
                self.listeners[worker % len(self.listeners)],
                threads=self.threads,
                multiprocess=self.workers > 1,
                log=log,
                settings=self.settings,
            )
        except OSError as error:
            raise WsgibenchError(
                "cannot listen: %s." % (error.strerror or error)
            ) from error

    def run_here(
        self, worker: int = 0, beat: Callable[[], None] | None = None
    ) -> None:
        """In this process, which is a worker if it has to beat."""
        log = None
        if self.access_log is not None:
            log = AccessLog(self.access_log, self.log_format)
        core = self._make_core(worker, log)
        reopen = log.reopen if log is not None else lambda: None
        with contextlib.ExitStack() as stack:
            stack.enter_context(
                stopping_on_signals(
                    core,
                    self.grace,
                    self.seal_listeners,
                    self.close_listeners,
                    reopen,
                )
            )
            if beat is None:
                self.print_address()
            elif self.hang_timeout:
                stack.callback(
                    beat_while_alive(
                        [core], self.threads, self.hang_timeout, beat
                    )
                )
            run_core(core, self.threads)
        core.close()
        if log is not None:
            log.close()

    def run_workers(self) -> None:
        self._check()
        supervisor = Supervisor(
            self.run_here,
            workers=self.workers,
            grace=self.grace,
            hang_timeout=self.hang_timeout,
            on_stop=self.close_listeners,
        )
        backlog = self.settings.get("backlog")
        if backlog is None:
            backlog = native.binding().DEFAULTS["backlog"]
        if backlog >= 0:
            # Before the workers are there, so that no client is refused; and
            # kept open, so that who waits for a dead one is served by the
            # next.
            for listener in self.listeners:
                listener.listen(backlog)
        supervisor.run(self.print_address)

    def _check(self) -> None:
        """What every worker would fail of is told once, here."""
        if self.access_log is not None:
            AccessLog(self.access_log, self.log_format).close()
        with socket.socket() as spare:
            make_core(
                self.app,
                spare,
                threads=self.threads,
                settings={**self.settings, "backlog": -1},
            ).close()

    def print_address(self) -> None:
        """To stderr: standard output may be the access log."""
        scheme = "https" if self.settings.get("certfile") else "http"
        if self.announce:
            print(
                "wsgibench: serving on %s (pid %d)"
                % (sockets.describe(self.listeners[0], scheme), os.getpid()),
                file=sys.stderr,
                flush=True,
            )


def serve(
    app: Application,
    host: str = "127.0.0.1",
    port: int = 8000,
    *,
    bind: str | None = None,
    threads: int = 0,
    workers: int = 1,
    reuse_port: bool = False,
    grace: float = 30.0,
    hang_timeout: float = 0.0,
    access_log: str | None = None,
    log_format: str = "common",
    announce: bool = False,
    **settings: Any,
) -> None:
    """Serve ``app`` until SIGTERM or SIGINT; see ``Server`` for the arguments.

    ``workers`` above 1 forks so many processes that share the listening
    socket (with ``reuse_port``, each has one of its own, and the kernel deals
    connections out evenly) and are replaced when they die. With
    ``hang_timeout`` one whose server does not turn for so many seconds is
    ended and replaced, too. ``announce`` writes the address to stderr.
    """
    if workers < 1:
        raise UsageError("workers must be 1 or more, not %d." % workers)
    for name, seconds in (("grace", grace), ("hang_timeout", hang_timeout)):
        if not 0 <= seconds <= 1e6:
            raise UsageError(
                "%s is a number of seconds, not %r." % (name, seconds)
            )
    if threading.current_thread() is not threading.main_thread():
        raise UsageError(
            "serve() handles signals, which only the main thread can; "
            "use wsgibench.Server here."
        )
    listeners = [
        sockets.open_listener(host, port, bind, reuse_port=reuse_port)
    ]
    inherited = sockets.is_inherited(bind)
    if reuse_port and not inherited and sockets.is_tcp(listeners[0]):
        host, port = listeners[0].getsockname()[:2]
        listeners += [
            sockets.listen_tcp(host, port, reuse_port=True)
            for _ in range(workers - 1)
        ]
    service = Service(
        app,
        listeners,
        threads=threads,
        workers=workers,
        ours=not inherited,
        grace=grace,
        hang_timeout=hang_timeout,
        access_log=access_log,
        log_format=log_format,
        announce=announce,
        settings=settings,
    )
    try:
        if workers == 1 and not hang_timeout:
            service.run_here()
        else:
            service.run_workers()
    finally:
        service.close_listeners()
