"""The server under audit: something that serves the application in
application/.

Subject is all that run.py knows of it. Here are those that need no harness: a
command of the user's own, and a server that runs already.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from wsgibench import orphans
from wsgibench.audit import APPLICATION, FOLDER
from wsgibench.audit.wire.exchange import Address, connect
from wsgibench.errors import UsageError, WsgibenchError

#: Seconds.
START_TIMEOUT = 30.0
STOP_TIMEOUT = 5.0


class Subject(Protocol):
    label: str

    @property
    def parser(self) -> str:
        """Its HTTP parser with the version; "" where it does not tell."""

    @property
    def pid(self) -> int:
        """Of the process that start() started, the leader of a session of
        its own; 0: there is none."""

    def start(self) -> Address:
        """Starts it, or starts it again after its death; returns when it
        accepts connections."""

    def stop(self) -> None: ...

    def close(self) -> None:
        """Stops it; nothing of it is left on disk."""

    def alive(self) -> bool: ...

    def last_words(self) -> str:
        """The last line it wrote, for the sentence about its death."""


def wait_for(
    address: Address, until: float, alive: Callable[[], bool] = lambda: True
) -> bool:
    """Whether a connection is accepted before `until` (monotonic), while it
    lives."""
    while time.monotonic() < until and alive():
        with contextlib.suppress(OSError):
            connect(address, 2.0).close()
            return True
        # No event tells when a foreign server listens.
        time.sleep(0.05)
    return False


class Url:
    """A server that the user runs, with our application behind it."""

    parser = ""

    def __init__(self, url: str) -> None:
        self.label = url
        self._address: Address
        parts = urlsplit(url)
        if parts.scheme == "unix":
            if not parts.path or parts.netloc:
                raise UsageError("%r is not like unix:/path." % url)
            self._address = parts.path
            return
        try:
            port = parts.port or 80
        except ValueError:
            port = 0
        if parts.scheme == "https":
            raise UsageError(
                "the audit speaks HTTP without TLS; give the server an "
                "address without it."
            )
        if parts.scheme != "http" or not parts.hostname or not port:
            raise UsageError(
                "%r is not a URL like http://host:port or unix:/path." % url
            )
        self._address = (parts.hostname, port)

    @property
    def pid(self) -> int:
        return 0

    def start(self) -> Address:
        if not wait_for(self._address, time.monotonic() + 3.0):
            raise WsgibenchError("nobody answers at %s." % self.label)
        return self._address

    def stop(self) -> None:
        pass

    def close(self) -> None:
        pass

    def alive(self) -> bool:
        return wait_for(self._address, time.monotonic() + 3.0)

    def last_words(self) -> str:
        return "it accepts no connection any more"


class Command:
    """A command of the user's: {host}, {port}, {app} and {folder} in it stand
    for where to listen, the application, and the folder it lies in (which is
    on PYTHONPATH, too)."""

    parser = ""

    def __init__(self, command: str) -> None:
        if "{port}" not in command:
            raise UsageError(
                "the command needs a {port} to listen on, as in "
                "'gunicorn --bind {host}:{port} {app}'."
            )
        self.label = command
        self._command = command
        self._folder = Path(tempfile.mkdtemp(prefix="wsgibench-audit-"))
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        return 0 if self._process is None else self._process.pid

    def start(self) -> Address:
        self.stop()
        with socket.create_server(("127.0.0.1", 0)) as free:
            host, port = free.getsockname()
        names = {
            "host": host,
            "port": port,
            "app": APPLICATION,
            "folder": str(FOLDER),
        }
        path = os.environ.get("PYTHONPATH", "")
        path = str(FOLDER) + (os.pathsep + path if path else "")
        try:
            arguments = shlex.split(self._command.format(**names))
        except (KeyError, IndexError, ValueError) as error:
            raise UsageError(
                "the command cannot be filled in: %s." % error
            ) from error
        with open(self._folder / "log", "ab") as log, orphans.uninterrupted():
            try:
                self._process = subprocess.Popen(
                    arguments,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                    env={**os.environ, "PYTHONPATH": path},
                    preexec_fn=orphans.end_with_us(),
                )
            except OSError as error:
                raise WsgibenchError(
                    "cannot start %s: %s." % (arguments[0], error.strerror)
                ) from error
        until = time.monotonic() + START_TIMEOUT
        if not wait_for((host, port), until, self.alive):
            raise WsgibenchError(
                "the command serves nothing: %s." % self.last_words()
            )
        return (host, port)

    def stop(self) -> None:
        if self._process is None:
            return
        orphans.end(self._process, STOP_TIMEOUT)
        self._process = None

    def close(self) -> None:
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def last_words(self) -> str:
        text = (self._folder / "log").read_text(errors="replace")
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        return lines[-1][:300] if lines else "it said nothing"
