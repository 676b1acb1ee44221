"""A server of the list, with the application of the audit behind it."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from wsgibench.audit import APPLICATION, FOLDER
from wsgibench.harness.environments import Environment
from wsgibench.harness.interpreters import Interpreter
from wsgibench.harness.process import TargetProcess
from wsgibench.harness.scenario import Scenario
from wsgibench.harness.servers import Server

#: Any answer to this request shows that the server runs the application.
SCENARIO = Scenario(
    name="audit",
    about="the application of the audit",
    app=APPLICATION,
    body=b"",
    path="/wsgi/last",
    any_body=True,
)


class _Process(TargetProcess):
    def _task(self, listen_fd: int, ready_fd: int) -> dict[str, Any]:
        return {**super()._task(listen_fd, ready_fd), "chdir": str(FOLDER)}


class Audited:
    """A Subject (see wsgibench.audit.subject)."""

    def __init__(
        self,
        server: Server,
        interpreter: Interpreter,
        environment: Environment,
    ) -> None:
        self.label = "%s on %s" % (server.text, interpreter.label)
        self._server = server
        self._environment = environment
        self._folder = tempfile.TemporaryDirectory(prefix="wsgibench-audit-")
        self._process: TargetProcess | None = None
        self._starts = 0

    @property
    def parser(self) -> str:
        told = {} if self._process is None else self._process.ready
        return str(told.get("settings", {}).get("parser", ""))

    @property
    def pid(self) -> int:
        return 0 if self._process is None else self._process.pid

    def start(self) -> tuple[str, int]:
        self.stop()
        self._starts += 1
        self._process = _Process(
            self._environment,
            self._server,
            SCENARIO,
            log=Path(self._folder.name) / ("%d.log" % self._starts),
            options=self._options(),
        )
        self._process.__enter__()
        host, port = self._process.address[:2]
        return host, port

    def _options(self) -> dict[str, int]:
        """With its supervisor, where a server can run with or without: so do
        its users, and so do the servers that cannot run without. One worker:
        the application's notes belong to a process."""
        wanted = {"supervised": 1, "workers": 1}
        can = self._server.constants.get("OPTIONS", {})
        return {
            name: value
            for name, value in wanted.items()
            if name in can and name not in self._server.options
        }

    def stop(self) -> None:
        if self._process is not None:
            self._process.stop()
            self._process = None

    def close(self) -> None:
        self.stop()
        self._folder.cleanup()

    def alive(self) -> bool:
        return self._process is not None and self._process.alive()

    def last_words(self) -> str:
        return "" if self._process is None else self._process.last_words()
