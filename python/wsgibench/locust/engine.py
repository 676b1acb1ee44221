"""The C generator's process, as Locust's event loop sees it.

gevent never waits for it: it is another process, and its lines are read by a
greenlet.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import gevent
from gevent.event import Event

from wsgibench.load import engine, wire
from wsgibench.load.spec import LoadSpec

#: (the generator's whole result so far, what it saw of its machine)
OnReport = Callable[[dict[str, Any], dict[str, Any]], None]


class Engine:
    def __init__(
        self, spec: LoadSpec, users: int | None, on_report: OnReport
    ) -> None:
        """``users`` None: all connections of the spec work."""
        self._on_report = on_report
        self.raw: dict[str, Any] | None = None
        self.error = ""
        self.ended = Event()  # its result is there, or there will be none
        self._process = subprocess.Popen(
            [sys.executable, "-c", engine.COMMAND],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,  # the terminal's SIGINT is not for it
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
        self._tell(json.dumps({"spec": wire.to_json(spec), "users": users}))
        self._reader = gevent.spawn(self._read)

    def _tell(self, line: str) -> None:
        stdin = self._process.stdin
        assert stdin is not None
        try:
            stdin.write(line.encode("utf-8") + b"\n")
            stdin.flush()
        except OSError:
            pass  # it has ended; the reader sees why

    def _read(self) -> None:
        stdout = self._process.stdout
        assert stdout is not None
        final = False
        for line in stdout:
            message = json.loads(line)
            self.error = message.get("error", self.error)
            raw = message.get("so_far") or message.get("result")
            if raw:
                self.raw = raw
                self._on_report(raw, message["watch"])
            if "result" in message:
                final = True
                self.ended.set()
        code = self._process.wait()
        if not final and not self.error:
            self.error = "the load generator ended early (%d)." % code
        self.ended.set()

    @property
    def pid(self) -> int:
        return self._process.pid

    def users(self, number: int) -> None:
        self._tell("users %d" % number)

    def stop(self) -> None:
        self._tell("stop")

    def close(self, seconds: float) -> None:
        """Waits for its end so long, then kills it."""
        if not self.ended.wait(seconds):
            self._process.kill()
        self._reader.join(5)  # its process has ended, too
