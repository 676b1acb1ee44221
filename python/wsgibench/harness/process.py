"""The server under test as a process: started on a socket that the harness
owns, checked by its answers, stopped, and heard out when it dies."""

from __future__ import annotations

import http.client
import json
import os
import selectors
import signal
import socket
import subprocess
import time
from pathlib import Path
from types import ModuleType
from typing import IO, Any

from wsgibench import plugins
from wsgibench.errors import WsgibenchError

GUEST = plugins.PACKAGE / "guest" / "child.py"
BACKLOG = 2048
START_TIMEOUT = 30.0
STOP_TIMEOUT = 5.0


def open_socket(host: str, port: int) -> socket.socket:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise WsgibenchError(
            "cannot listen on %s:%d: %s" % (host, port, error.strerror)
        ) from error
    return listener


class GuestProcess:
    """A context manager: the process runs and answers inside it."""

    def __init__(
        self,
        python: str,
        server: str,
        scenario: ModuleType,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        cpu: int | None = None,
        options: dict[str, Any] | None = None,
        log: Path,
    ) -> None:
        self._python = python
        self._server = server
        self._scenario = scenario
        self._host = host
        self._port = port
        self._cpu = cpu
        self._options = options or {}
        self._log_path = log
        self._log: IO[bytes] | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self.address = (host, port)
        self.ready: dict[str, Any] = {}
        self.start_seconds = 0.0

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def __enter__(self) -> GuestProcess:
        constants = plugins.constants("guest/servers", self._server)
        inherits = constants.get("CAPABILITIES", {}).get("inherited_fd", True)
        listener = open_socket(self._host, self._port)
        try:
            self.address = listener.getsockname()
            self._spawn(listener, inherits)
        finally:
            listener.close()
        try:
            self._await_answer()
        except BaseException:
            self.stop()
            raise
        return self

    def _spawn(self, listener: socket.socket, inherits: bool) -> None:
        ready_read, ready_write = os.pipe()
        task = {
            "server": self._server,
            "app": self._scenario.APP,
            "listen_fd": listener.fileno(),
            "ready_fd": ready_write,
            "options": dict(self._options, address=self.address),
        }
        if not inherits:
            # It binds by itself: keep the number, free the port.
            placeholder = socket.socket()
            os.dup2(placeholder.fileno(), listener.fileno())
            placeholder.close()
        self._log = open(self._log_path, "wb")  # noqa: SIM115
        started = time.monotonic()
        environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("PYTHON")
        }
        cpu = self._cpu
        try:
            self._process = subprocess.Popen(
                [self._python, str(GUEST), json.dumps(task)],
                pass_fds=(listener.fileno(), ready_write),
                stdin=subprocess.DEVNULL,
                stdout=self._log,
                stderr=self._log,
                start_new_session=True,
                env=environment,
                preexec_fn=None
                if cpu is None
                else (lambda: os.sched_setaffinity(0, {cpu})),
            )
        except OSError as error:
            os.close(ready_read)
            raise WsgibenchError(
                "cannot start %s: %s" % (self._python, error.strerror)
            ) from error
        finally:
            os.close(ready_write)
        self._read_ready(ready_read, started + START_TIMEOUT)
        self.start_seconds = time.monotonic() - started

    def _read_ready(self, fd: int, deadline: float) -> None:
        line = b""
        with selectors.DefaultSelector() as selector:
            selector.register(fd, selectors.EVENT_READ)
            while not line.endswith(b"\n"):
                left = deadline - time.monotonic()
                if left <= 0 or not selector.select(left):
                    break
                block = os.read(fd, 65536)
                if not block:
                    break
                line += block
        os.close(fd)
        if not line.endswith(b"\n"):
            self.stop()
            raise WsgibenchError(
                "%s did not start: %s" % (self._server, self.last_words())
            )
        self.ready = json.loads(line)

    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def _await_answer(self) -> None:
        """Ready is a right answer, not an open port."""
        deadline = time.monotonic() + START_TIMEOUT
        problem = "no answer"
        while time.monotonic() < deadline:
            if not self.alive():
                raise WsgibenchError(
                    "%s died: %s" % (self._server, self.last_words())
                )
            problem = self._probe()
            if not problem:
                return
            # Nothing tells when a foreign server is ready: ask again soon.
            time.sleep(0.02)
        raise WsgibenchError(
            "%s never answered as expected: %s" % (self._server, problem)
        )

    def _probe(self) -> str:
        """What is wrong with the answer; "" if nothing is."""
        connection = http.client.HTTPConnection(*self.address[:2], timeout=2)
        try:
            connection.request("GET", self._scenario.PATH)
            response = connection.getresponse()
            body = response.read()
        except (OSError, http.client.HTTPException) as error:
            return "%s: %s" % (type(error).__name__, error)
        finally:
            connection.close()
        if response.status != self._scenario.STATUS:
            return "status %d" % response.status
        if body != self._scenario.BODY:
            return "body %r" % body[:60]
        return ""

    def last_words(self) -> str:
        """The last line it wrote, and how it ended."""
        if self._log is not None:
            self._log.flush()
        text = self._log_path.read_text(errors="replace").strip()
        lines = [line for line in text.splitlines() if line.strip()]
        words = lines[-1].strip() if lines else "it said nothing"
        code = None if self._process is None else self._process.poll()
        return words if code is None else "%s (exit %d)" % (words, code)

    def _signal(self, number: int) -> None:
        try:
            os.killpg(self.pid, number)
        except (ProcessLookupError, PermissionError):
            pass

    def stop(self) -> None:
        if self._process is None:
            return
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(STOP_TIMEOUT)
            except subprocess.TimeoutExpired:
                pass
        self._signal(signal.SIGKILL)  # and whatever it left behind
        self._process.wait()
        if self._log is not None:
            self._log.close()
            self._log = None

    def __exit__(self, *exception: object) -> None:
        self.stop()
