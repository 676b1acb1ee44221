"""serve(): run a server in this process until a signal ends it.

SIGTERM and SIGINT finish what is under way, for at most ``grace`` seconds; a
second signal ends at once.
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
from wsgibench.native.contract import Application, CoreServer
from wsgibench.native.server import make_core
from wsgibench.native.workers import Supervisor

SIGNALS = (signal.SIGTERM, signal.SIGINT)


@contextlib.contextmanager
def stopping_on_signals(
    core: CoreServer,
    grace: float,
    on_stop: Callable[[], None] = lambda: None,
) -> Iterator[None]:
    """While inside, SIGTERM and SIGINT stop the server."""
    asked = 0

    def stop(number: int, frame: FrameType | None) -> None:
        nonlocal asked
        asked += 1
        core.stop(grace if asked == 1 else 0)
        on_stop()

    old_fd = signal.set_wakeup_fd(core.wake_fd(), warn_on_full_buffer=False)
    old = [signal.signal(number, stop) for number in SIGNALS]
    try:
        yield
    finally:
        for number, handler in zip(SIGNALS, old):
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
    access_log: str | None = None,
    log_format: str = "common",
    announce: bool = False,
    **settings: Any,
) -> None:
    """Serve ``app`` until SIGTERM or SIGINT; see ``Server`` for the arguments.

    ``workers`` above 1 forks so many processes that share the listening
    socket and are replaced when they die.
    """
    if workers < 1:
        raise UsageError("workers must be 1 or more, not %d." % workers)
    listener = sockets.open_listener(host, port, bind, reuse_port=reuse_port)
    owner = os.getpid()

    def close_listener() -> None:
        """At once when a stop is asked for: nobody must be left waiting in a
        queue that none accepts from."""
        if listener.fileno() >= 0:
            is_ours = bind is not None and bind.startswith("unix:")
            if is_ours and os.getpid() == owner:
                sockets.remove_path(listener)
            listener.close()

    def run_here(multiprocess: bool) -> None:
        try:
            core = make_core(
                app,
                listener,
                threads=threads,
                multiprocess=multiprocess,
                access_log=access_log,
                log_format=log_format,
                settings=settings,
            )
        except OSError as error:
            raise WsgibenchError(
                "cannot listen: %s." % error.strerror
            ) from error
        with stopping_on_signals(core, grace, close_listener):
            if announce and not multiprocess:
                print_address(listener, settings)
            run_core(core, threads)
        core.close()

    try:
        if workers == 1:
            run_here(False)
        else:
            supervisor = Supervisor(
                lambda: run_here(True),
                workers=workers,
                grace=grace,
                on_stop=close_listener,
            )
            # Before the workers are there, so that no client is refused.
            listener.listen(
                settings.get("backlog") or native.binding().DEFAULTS["backlog"]
            )
            supervisor.run(
                lambda: print_address(listener, settings) if announce else None
            )
    finally:
        close_listener()


def print_address(
    listener: socket.socket, settings: dict[str, Any]
) -> None:
    scheme = "https" if settings.get("certfile") else "http"
    print(
        "wsgibench: serving on %s (pid %d)"
        % (sockets.describe(listener, scheme), os.getpid())
    )
    sys.stdout.flush()
