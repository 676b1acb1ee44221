"""The server under test as a process: started on a socket that the harness
owns, checked by its answers, stopped; what it printed last is kept."""

from __future__ import annotations

import json
import os
import resource
import selectors
import shutil
import socket
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from wsgibench import orphans, plugins, printable
from wsgibench.errors import WsgibenchError
from wsgibench.harness import deaths, probe
from wsgibench.harness.application import clean_environ
from wsgibench.harness.environments import Environment
from wsgibench.harness.scenario import Scenario
from wsgibench.harness.servers import Server

TARGET = plugins.PACKAGE / "target" / "child.py"
BACKLOG = 2048
START_TIMEOUT = 30.0
STOP_TIMEOUT = 5.0
PROBE_TIMEOUT = 5.0


def open_socket(host: str, port: int, backlog: int) -> socket.socket:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(backlog)
    except OSError as error:
        listener.close()
        raise WsgibenchError(
            "cannot listen on %s:%d: %s; stop what uses the port, or leave "
            "--port away." % (host, port, error.strerror)
        ) from error
    return listener


@dataclass(frozen=True)
class Under:
    """What a target runs under, when it is counted instead of timed."""

    prefix: tuple[str, ...] = ()  # a command that runs a command
    variables: dict[str, str] = field(default_factory=dict)
    patience: float = 1.0  # times as slow as it is by itself
    target: Path = TARGET  # another version's


class TargetProcess:
    """A context manager: the process runs and answers inside it."""

    def __init__(
        self,
        environment: Environment,
        server: Server,
        scenario: Scenario,
        *,
        log: Path,
        host: str = "127.0.0.1",
        port: int = 0,
        cpu: int | frozenset[int] | None = None,
        services: dict[str, Any] | None = None,
        backlog: int = BACKLOG,
        under: Under | None = None,
        options: dict[str, Any] | None = None,
    ) -> None:
        self._under = under or Under()
        self._environment = environment
        self._server = server
        self._scenario = scenario
        self._host = host
        self._port = port
        self._cpu = cpu
        self._services = services or {}
        self._backlog = backlog
        self._options = options or {}
        self._log_path = log
        self._log: IO[bytes] | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self.address = (host, port)
        self.ready: dict[str, Any] = {}
        self._ready_fd = -1
        self._started = 0.0
        self.start_seconds = 0.0

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def __enter__(self) -> TargetProcess:
        self.begin()
        return self.await_ready()

    def begin(self) -> None:
        """The process is there; whether it gets ready is another matter."""
        listener = open_socket(self._host, self._port, self._backlog)
        self.address = listener.getsockname()
        try:
            with listener:
                self._spawn(listener)
        except BaseException:  # Ctrl-C can come at any line of it
            self.stop()
            raise

    def await_ready(self) -> TargetProcess:
        """After begin(); in any thread."""
        try:
            process = self._process
            assert process is not None
            with deaths.Watcher(
                process.pid, self.address[1], lambda: orphans.kill(process)
            ) as watcher:
                try:
                    self._read_ready()
                    self._await_answer()
                except WsgibenchError as error:
                    if not watcher.reason:
                        raise
                    raise WsgibenchError(
                        "%s never answered: %s; its last words: %s"
                        % (
                            self._server.text,
                            watcher.reason,
                            self._said(),
                        )
                    ) from error
            self.ready["observed"] = probe.observe(
                self.address, self._scenario, self._patience(PROBE_TIMEOUT)
            )
        except BaseException:
            self.stop()
            raise
        return self

    def _patience(self, seconds: float) -> float:
        return seconds * self._under.patience

    @property
    def task(self) -> dict[str, Any]:
        """What a helper needs that imports what the application has."""
        return self._task(-1, -1)

    def _task(self, listen_fd: int, ready_fd: int) -> dict[str, Any]:
        """What child.py is told."""
        options = dict(self._scenario.options, **self._server.options)
        options.update(self._options)
        options.update(address=self.address, backlog=self._backlog)
        application = self._scenario.application
        program = self._server.constants.get("PROGRAM")
        if program:
            options["program"] = shutil.which(program)
        return {
            "server": self._server.name,
            "app": self._scenario.app,
            "framework": self._scenario.framework,
            "chdir": application.chdir if application else "",
            "libraries": self._environment.libraries,
            "sites": self._environment.sites,
            "services": self._services,
            "listen_fd": listen_fd,
            "ready_fd": ready_fd,
            "inherits": self._server.inherits,
            "options": options,
        }

    def _child_setup(self) -> Callable[[], None]:
        """What happens between fork and exec: its CPU, all descriptors it may
        have, and its end with ours."""
        end_with_us = orphans.end_with_us()
        cpus = {self._cpu} if isinstance(self._cpu, int) else self._cpu

        def prepare() -> None:
            end_with_us()
            if cpus:
                os.sched_setaffinity(0, cpus)
            _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))

        return prepare

    def _spawn(self, listener: socket.socket) -> None:
        ready_read, ready_write = os.pipe()
        task = self._task(listener.fileno(), ready_write)
        fds = [ready_write]
        if self._server.inherits:
            fds.append(listener.fileno())
        else:
            listener.close()  # it binds by itself, to the number that is free
        self._log = open(self._log_path, "wb")  # noqa: SIM115
        self._started = time.monotonic()
        environment = clean_environ()
        if self._scenario.application:
            environment.update(self._scenario.application.environ)
        environment.update(self._environment.variables)
        environment.update(self._under.variables)
        try:
            with orphans.uninterrupted():
                self._process = subprocess.Popen(
                    [
                        *self._under.prefix,
                        self._environment.python,
                        str(self._under.target),
                        json.dumps(task),
                    ],
                    pass_fds=fds,
                    stdin=subprocess.DEVNULL,
                    stdout=self._log,
                    stderr=self._log,
                    start_new_session=True,
                    env=environment,
                    preexec_fn=self._child_setup(),
                )
        except OSError as error:
            os.close(ready_read)
            raise WsgibenchError(
                "cannot start %s: %s"
                % (self._environment.python, error.strerror)
            ) from error
        finally:
            os.close(ready_write)
        self._ready_fd = ready_read

    def _read_ready(self) -> None:
        fd, self._ready_fd = self._ready_fd, -1
        patience = self._patience(START_TIMEOUT)
        deadline = self._started + patience
        line = b""
        try:
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
        finally:
            os.close(fd)
        if not line.endswith(b"\n"):
            late = " within %d s" % patience
            is_late = time.monotonic() >= deadline
            self.stop()
            raise WsgibenchError(
                "%s did not start%s: %s"
                % (
                    self._server.text,
                    late if is_late else "",
                    self.last_words(),
                )
            )
        self.ready = json.loads(line)
        self.start_seconds = time.monotonic() - self._started

    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def _await_answer(self) -> None:
        """Ready is a right answer, not an open port."""
        deadline = time.monotonic() + self._patience(START_TIMEOUT)
        wrong = "no answer"
        while time.monotonic() < deadline:
            if not self.alive():
                raise WsgibenchError(
                    "%s died: %s" % (self._server.text, self.last_words())
                )
            wrong = probe.problem(
                self.address, self._scenario, self._patience(PROBE_TIMEOUT)
            )
            if not wrong:
                return
            # Nothing tells when a foreign server is ready: ask again soon.
            time.sleep(0.02)
        raise WsgibenchError(
            "%s never answered as expected: %s; its last words: %s"
            % (self._server.text, wrong, self.last_words())
        )

    def last_words(self) -> str:
        """The last telling line it wrote, and how it ended."""
        words = self._said()
        code = None if self._process is None else self._process.poll()
        return words if code is None else "%s (exit %d)" % (words, code)

    def _said(self) -> str:
        if self._log is not None:
            self._log.flush()
        text = self._log_path.read_text(errors="replace")
        lines = [line.strip() for line in text.splitlines()]
        telling = [line for line in lines if any(map(str.isalpha, line))]
        return (
            printable.text(telling[-1][:300]) if telling else "it said nothing"
        )

    def stop(self, *, at_once: bool = False) -> None:
        """`at_once`: it is not asked to end first."""
        if self._ready_fd >= 0:
            os.close(self._ready_fd)
            self._ready_fd = -1
        if self._process is None:
            return
        orphans.end(self._process, 0 if at_once else STOP_TIMEOUT)
        if self._log is not None:
            self._log.close()
            self._log = None

    def __exit__(self, *exception: object) -> None:
        self.stop()
