"""A service that is a process of ours."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from wsgibench import orphans
from wsgibench.errors import WsgibenchError

START_TIMEOUT = 60.0
STOP_TIMEOUT = 10.0


def free_port(host: str = "127.0.0.1") -> int:
    """Below those that the kernel deals out, so that nobody who asks for any
    port gets it before its server has started."""
    ephemeral = Path("/proc/sys/net/ipv4/ip_local_port_range")
    first = int(ephemeral.read_text().split()[0])
    candidates = range(max(10_000, first - 20_000), first)
    rng = random.SystemRandom()
    tried = rng.sample(candidates, min(100, len(candidates)))
    for port in [*tried, 0]:
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
            return int(probe.getsockname()[1])
    raise WsgibenchError("no port is free on %s." % host)


def program(name: str, folders: Sequence[str] = ()) -> str:
    """Its path; also looks where Debian hides servers. "" if not found."""
    path = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", *folders])
    return shutil.which(name, path=path) or ""


def missing(name: str, packages: Sequence[str], found: str) -> str:
    if found:
        return ""
    return (
        "%s is not here: run ./bench --with-services, or install the package "
        "%s." % (name, " ".join(packages))
    )


class ProcessService:
    """Settings are for applications and for the record."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        folder: Path,
        settings: dict[str, Any],
        answers: Callable[[], str],
        *,
        user: str | None = None,
        stop_signal: int = signal.SIGTERM,
    ) -> None:
        self.settings = settings
        self._name = name
        self._answers = answers
        self._log_path = folder / "log"
        self._stop_signal = stop_signal
        self._started: subprocess.Popen[bytes] | None = None
        try:
            with orphans.uninterrupted():
                self._started = self._spawn(command, folder, user)
            self._await()
        except BaseException:  # Ctrl-C can come at any line of it
            self.stop()
            raise

    def _spawn(
        self, command: Sequence[str], folder: Path, user: str | None
    ) -> subprocess.Popen[bytes]:
        with open(self._log_path, "ab") as log:
            try:
                return subprocess.Popen(
                    list(command),
                    cwd=folder,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                    user=user,
                    preexec_fn=orphans.end_with_us(self._stop_signal),
                )
            except OSError as error:
                raise WsgibenchError(
                    "cannot start %s: %s" % (self._name, error)
                ) from error

    @property
    def _process(self) -> subprocess.Popen[bytes]:
        assert self._started is not None
        return self._started

    def _await(self) -> None:
        """Until it answers as it should."""
        deadline = time.monotonic() + START_TIMEOUT
        wrong = "no answer"
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                break
            wrong = self._answers()
            if not wrong:
                return
            # Nothing tells when a foreign server is ready: ask again soon.
            time.sleep(0.05)
        words = self._last_words()
        raise WsgibenchError(
            "the service %s did not start: %s; its last words: %s"
            % (self._name, wrong, words)
        )

    def _last_words(self) -> str:
        text = self._log_path.read_text(errors="replace")
        lines = [line for line in text.splitlines() if line.strip()]
        return lines[-1][:300] if lines else "none"

    @property
    def pid(self) -> int:
        return self._process.pid

    def problem(self) -> str:
        code = self._process.poll()
        if code is not None:
            return "died (exit %d): %s" % (code, self._last_words())
        wrong = self._answers()
        return wrong and "answers no more: " + wrong

    def stop(self) -> None:
        if self._started is None:
            return
        orphans.end(self._process, STOP_TIMEOUT, self._stop_signal)
