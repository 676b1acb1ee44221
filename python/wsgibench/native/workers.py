"""workers=N: processes that share the listening socket.

The supervisor forks, waits, and replaces a worker that dies; one that keeps
dying is replaced ever more slowly. SIGTERM and SIGINT are passed on, and a
worker that is not done after the grace is killed.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from types import FrameType

#: Seconds: a worker that lived less is held to be crashing.
YOUNG = 1.0
MAX_PAUSE = 10.0


STOPS = (signal.SIGTERM, signal.SIGINT)


def end_with_parent() -> None:
    """Ask the kernel for SIGTERM when the supervisor is gone, however it
    went: nobody would stop or replace an orphan. Linux only."""
    import ctypes

    PR_SET_PDEATHSIG = 1
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(signal.SIGTERM))


class Supervisor:
    def __init__(
        self,
        run_worker: Callable[[], None],
        *,
        workers: int,
        grace: float,
        on_stop: Callable[[], None] = lambda: None,
    ) -> None:
        self._on_stop = on_stop
        self._run_worker = run_worker
        self._workers = workers
        self._grace = grace
        self._started: dict[int, float] = {}  # pid -> when
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
        handled = (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD)
        old = {number: signal.getsignal(number) for number in handled}
        for number in handled:
            signal.signal(number, self._on_signal)
        old_fd = signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
        try:
            self._fill()
            on_ready()
            while not self._stop_asked or self._started:
                self._reap()
                self._fill()
                self._enforce_grace()
                self._sleep(wake_read)
        finally:
            for number, handler in old.items():
                signal.signal(number, handler)
            signal.set_wakeup_fd(old_fd)
            os.close(wake_read)
            os.close(wake_write)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if number == signal.SIGCHLD:
            return  # it has ended the sleep
        self._stop_asked += 1
        grace = self._grace if self._stop_asked == 1 else 0.0
        self._kill_at = time.monotonic() + grace + 1.0
        self._on_stop()
        for pid in self._started:
            os.kill(pid, signal.SIGTERM)

    def _sleep(self, wake_read: int) -> None:
        import select

        if self._stop_asked and not self._started:
            return
        timeout = 1.0
        missing = len(self._started) < self._workers
        if missing or self._kill_at is not None:
            timeout = 0.05
        select.select([wake_read], [], [], timeout)
        try:
            while os.read(wake_read, 512):
                pass
        except BlockingIOError:
            pass

    def _reap(self) -> None:
        while self._started:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                self._started.clear()
                return
            if pid == 0:
                return
            self._note_end(pid, status)

    def _note_end(self, pid: int, status: int) -> None:
        started = self._started.pop(pid, None)
        if started is None or self._stop_asked:
            return
        print(
            "wsgibench: worker %d ended (status %d); replacing it"
            % (pid, status),
            file=sys.stderr,
        )
        now = time.monotonic()
        if now - started < YOUNG:
            self._crashes += 1
            pause = min(MAX_PAUSE, 0.1 * 2.0**self._crashes)
            self._not_before = now + pause
        else:
            self._crashes = 0

    def _fill(self) -> None:
        while (
            not self._stop_asked
            and len(self._started) < self._workers
            and time.monotonic() >= self._not_before
        ):
            # A signal between fork and _be_worker() would run the
            # supervisor's handler in the worker.
            signal.pthread_sigmask(signal.SIG_BLOCK, STOPS)
            pid = os.fork()
            if pid == 0:
                self._be_worker()
            self._started[pid] = time.monotonic()
            signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPS)

    def _be_worker(self) -> None:
        """In the child: never returns."""
        code = 1
        try:
            signal.set_wakeup_fd(-1)
            for number in (*STOPS, signal.SIGCHLD):
                signal.signal(number, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPS)
            end_with_parent()
            self._run_worker()
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)

    def _enforce_grace(self) -> None:
        if self._kill_at is not None and time.monotonic() > self._kill_at:
            for pid in self._started:
                os.kill(pid, signal.SIGKILL)
