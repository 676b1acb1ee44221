"""Server: one application on one listening socket, in a thread or driven by
the caller's own loop."""

from __future__ import annotations

import io
import os
import socket
import sys
from collections.abc import Callable
from types import TracebackType
from typing import Any

from wsgibench import native
from wsgibench.errors import UsageError, WsgibenchError
from wsgibench.native import sockets, tls, upgrade
from wsgibench.native.access_log import AccessLog
from wsgibench.native.contract import Application, CoreServer
from wsgibench.native.log import logger
from wsgibench.native.options import check_seconds, check_text
from wsgibench.native.running import ServingThreads
from wsgibench.native.settings import check_texts, to_core
from wsgibench.native.unpatched import check_threads

#: Seconds that threads have for ending, when nothing keeps them any more.
LAST_WORDS = 1.0


def make_core(
    app: Application,
    listener: socket.socket,
    *,
    threads: int = 0,
    loops: int = 1,  # servers of this process on the listener
    multiprocess: bool = False,
    log: AccessLog | None = None,
    error_stream: Any = None,
    error_fd: int | None = None,
    on_close: Callable[[], None] | None = None,
    settings: dict[str, Any] | None = None,
) -> CoreServer:
    """A core server on a duplicate of the listener's descriptor. The log
    stays the caller's, and open for as long as the server, and so does
    ``error_fd`` (default: 2), where the core tells of logs and bodies that
    cannot be written; ``on_close`` is called when the server is closed."""
    if not callable(app):
        raise UsageError("the application %r is not callable." % (app,))
    if threads < 0:
        raise UsageError("threads must be 0 or more, not %d." % threads)
    check_texts(settings or {})
    https = tls.check(settings or {})
    core = to_core(settings or {})
    if multiprocess or loops > 1:
        # A worker that took a whole burst would keep it from idle ones.
        core.setdefault("accept_batch", 1)
    if https:
        core["url_scheme"] = "https"
    root = (settings or {}).get("root_path")
    if root:
        # As PEP 3333 wants text: bytes as latin-1.
        core["script_name"] = root.rstrip("/").encode().decode("latin-1")
    if log is not None:
        core.update(log.settings())
    if error_fd is not None:
        core["error_fd"] = error_fd
    host, port = sockets.names(listener)
    fd = os.dup(listener.fileno())
    try:
        server: CoreServer = native.binding().CoreServer(
            app,
            fd,
            server_host=host,
            server_port=port,
            threaded=int(threads > 0),
            multithread=threads > 0 or loops > 1,
            multiprocess=multiprocess,
            error_stream=error_stream or sys.stderr or NoStream(),
            on_upgrade=upgrade.offer,
            on_close=on_close,
            **core,
        )
    except BaseException as error:
        os.close(fd)
        if isinstance(error, (ValueError, OverflowError)):
            raise UsageError(
                "the server refuses a setting: %s." % error
            ) from error
        if isinstance(error, OSError):
            raise WsgibenchError(
                "cannot listen: %s." % (error.strerror or error)
            ) from error
        raise
    return server


class NoStream(io.TextIOBase):
    """wsgi.errors where there is no standard error (``sys.stderr`` is None in
    daemons): what is written to it is gone."""

    def write(self, text: str) -> int:
        return len(text)


class Server:
    """Serves ``app``; a context manager runs it in background threads.

    Args:
        app: the WSGI application.
        host, port: where to listen; port 0 picks a free one.
        bind: an address instead of host and port (``unix:/path``,
            ``unix:@name``, ``fd://N``, ``HOST:PORT``).
        sock: a bound socket instead; it stays the caller's.
        threads: 0 runs the application in the loop's own thread; N in N
            threads, one of which turns the loop while it is quick.
        access_log: a path, ``-`` for standard output, None for none.
        log_format: see ``wsgibench.native.log_format``.
        settings: see ``wsgibench.native.settings.SETTINGS``.
    """

    def __init__(
        self,
        app: Application,
        host: str = "127.0.0.1",
        port: int = 8000,
        *,
        bind: str | None = None,
        sock: socket.socket | None = None,
        threads: int = 0,
        reuse_port: bool = False,
        access_log: str | None = None,
        log_format: str = "common",
        **settings: Any,
    ) -> None:
        for name, text in (("bind", bind), ("access_log", access_log)):
            check_text(name, text)
        self._closes_socket = sock is None
        self._close_at_end = False
        self._owner = None if sockets.is_inherited(bind) else os.getpid()
        self.socket = sock or sockets.open_listener(
            host, port, bind, reuse_port=reuse_port
        )
        log: AccessLog | None = None
        try:
            if access_log is not None:
                log = AccessLog(access_log, log_format)
            self.core = make_core(
                app,
                self.socket,
                threads=threads,
                log=log,
                on_close=log.close if log is not None else None,
                settings=settings,
            )
        except BaseException:
            self._close_socket()
            if log is not None:
                log.close()
            raise
        self.threads = threads
        self.address = self.socket.getsockname()
        self.url = sockets.describe(
            self.socket, "https" if settings.get("certfile") else "http"
        )
        self._running: ServingThreads | None = None
        self._closed = False

    # In background threads ------------------------------------------------

    def start(self) -> None:
        """Serve in threads of its own; ``with`` does it, too."""
        if self._closed:
            raise ValueError("the server is closed")
        if self._running is not None:
            raise WsgibenchError("the server is running already.")
        check_threads(self.threads)
        self._running = ServingThreads(
            [self.core], self.threads, self._on_threads_end
        )
        try:
            self._running.start()
        except BaseException:
            self._running = None
            raise

    def stop(self, grace: float | None = 30.0) -> None:
        """Finish what is under way (at most ``grace`` seconds; None: however
        long it takes) and close.

        Returns when that is done, but for calls of the application that do
        not come back in time. Called by the application itself, in the
        server's own thread, it returns at once: its call is among those.
        """
        if grace is not None:
            check_seconds("grace", grace)
        self._closed = True
        self._seal_socket()
        self.core.stop(grace)
        self._close_socket()  # nobody accepts from its queue any more
        running = self._running
        if running is None or not running.has_caller():
            self._end_threads(None if grace is None else grace + LAST_WORDS)
            self.core.close()
        else:
            self._close_at_end = True

    def close(self) -> None:
        """Close at once: clients are cut off, the close() of each iterable
        that waits is called.

        A call of the application that is under way is not interrupted; the
        server is closed as soon as it is back. So this is safe in the
        application, in any thread, and in signal handlers.
        """
        self._closed = True
        self._seal_socket()
        self.core.close()
        self._close_socket()
        if self._running is not None and not self._running.has_caller():
            self._end_threads(LAST_WORDS)

    def _end_threads(self, timeout: float | None) -> None:
        if self._running is not None and self._running.join(timeout):
            self._running = None

    def _on_threads_end(self) -> None:
        """In the last of them."""
        running = self._running
        if running is not None and running.error is not None:
            logger.error(
                "%s was raised in the application; the server has ended.",
                type(running.error).__name__,
                exc_info=running.error,
            )
            self._close_at_end = True  # or clients would wait in its queue
        if self._close_at_end:
            self._closed = True
            self.core.close()
            self._close_socket()

    def _seal_socket(self) -> None:
        """If it was made here, and no fork has made it another's, too."""
        if (
            self._closes_socket
            and self._owner == os.getpid()
            and self.socket.fileno() >= 0
        ):
            sockets.seal(self.socket)

    def _close_socket(self) -> None:
        if self._closes_socket:
            self._seal_socket()
            self.socket.close()

    def __enter__(self) -> Server:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop(grace=5.0)

    # From another loop ------------------------------------------------------

    def fileno(self) -> int:
        """Readable when ``turn()`` has work."""
        return self.core.fileno()

    def timeout(self) -> float | None:
        """Seconds until ``turn()`` is due anyway (deadlines); None: never."""
        return self.core.timeout()

    def turn(self, timeout: float | None = 0) -> int:
        """Serve what is ready, without waiting longer than ``timeout``.

        Returns the number of requests served, -1 once stopped.
        """
        return self.core.turn(timeout)

    def stats(self) -> dict[str, int]:
        """The counters of the core: connections, requests, bytes ..."""
        return self.core.stats()
