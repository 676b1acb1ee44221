"""Servers as processes, for tests of how they run: started, spoken to, and
stopped through what people use."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.wire.target import child_environment

#: Longest wait for something that must happen (seconds).
PATIENCE = 60.0


def others_can_import() -> bool:
    folders = [Path(os.__file__), *Path(os.__file__).parents]
    return all(folder.stat().st_mode & stat.S_IROTH for folder in folders)


def another_user(test: Any) -> Any:
    """For tests in which gunicorn's workers are another user's. They call
    random.seed(), which imports modules from Python 3.13 on."""
    for holds, reason in (
        (os.geteuid() == 0, "root alone may change users"),
        (
            sys.version_info < (3, 13) or others_can_import(),
            "only root can read this Python",
        ),
    ):
        test = pytest.mark.skipif(not holds, reason=reason)(test)
    return test


class Program:
    """A child process; its stderr is read by a thread, so that it never
    blocks and a test can wait for a line."""

    def __init__(
        self,
        argv: list[str],
        environment: dict[str, str],
        directory: Path | None = None,
        pass_fds: tuple[int, ...] = (),
    ) -> None:
        self.process = subprocess.Popen(
            argv,
            env=child_environment(environment),
            cwd=directory,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            pass_fds=pass_fds,
        )
        self.lines: list[str] = []
        self._grown = threading.Condition()
        self._ended = False
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            with self._grown:
                self.lines.append(line.rstrip("\n"))
                self._grown.notify_all()
        with self._grown:
            self._ended = True
            self._grown.notify_all()

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    def line(self, *words: str, after: int = 0) -> str:
        """Waits for a line of stderr that contains one of `words`."""
        until = time.monotonic() + PATIENCE
        with self._grown:
            while True:
                for line in self.lines[after:]:
                    if any(each in line for each in words):
                        return line
                left = until - time.monotonic()
                assert not self._ended, "no %r in:\n%s" % (words, self.text)
                assert left > 0, "no %r yet in:\n%s" % (words, self.text)
                self._grown.wait(left)

    def port(self) -> int:
        """Of serve, or of gunicorn."""
        line = self.line("serving on http://", "Listening at: http://")
        return int(line.split(" (")[0].rpartition(":")[2])

    def wait(self) -> int:
        code = self.process.wait(PATIENCE)
        self._reader.join(PATIENCE)
        return code

    def stop(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.wait()

    def end(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self._reader.join(PATIENCE)
        for stream in (self.process.stdout, self.process.stderr):
            assert stream is not None
            stream.close()


@contextlib.contextmanager
def programs() -> Iterator[Callable[..., Program]]:
    """start(argv, environment, ...) -> Program, ended with the block."""
    running: list[Program] = []

    def start(*arguments: object, **more: object) -> Program:
        program = Program(*arguments, **more)  # type: ignore[arg-type]
        running.append(program)
        return program

    try:
        yield start
    finally:
        for program in running:
            program.end()


@contextlib.contextmanager
def open_folder() -> Iterator[Path]:
    """One that other users may enter, unlike pytest's."""
    with tempfile.TemporaryDirectory(prefix="wsgibench-test-") as name:
        os.chmod(name, 0o755)
        yield Path(name)


def serve_command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "wsgibench", "serve", *arguments]


def gunicorn_command(address: str) -> list[str]:
    from gunicorn.config import KNOWN_SETTINGS

    names = {setting.name for setting in KNOWN_SETTINGS}
    return [
        *(sys.executable, "-B", "-m", "gunicorn"),
        *("-k", "wsgibench.gunicorn.Worker", "-b", address),
        # Its path is the same for every gunicorn of this user.
        *(["--no-control-socket"] * ("control_socket_disable" in names)),
        # A signal to a worker that gunicorn is just forking is lost; it is
        # killed after this time.
        "--graceful-timeout=10",
        # Its 2 s are soon over where others use the CPUs.
        "--keep-alive=20",
    ]


def get(port: int, path: str = "/") -> bytes:
    connection = http.client.HTTPConnection("127.0.0.1", port, PATIENCE)
    connection.request("GET", path)
    data = connection.getresponse().read()
    connection.close()
    return data


def until(condition: Callable[[], object], what: str) -> None:
    """Asks again and again; a deadline only bounds a failure."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.01)


def refused(port: int) -> bool:
    """Nobody listens there any more."""
    try:
        socket.create_connection(("127.0.0.1", port), 5).close()
    except ConnectionResetError:
        return False  # in the queue when the listener was closed
    except ConnectionRefusedError:
        return True
    return False


def children(pid: int) -> set[int]:
    """Live processes whose parent is `pid`."""
    found = set()
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            with contextlib.suppress(OSError):
                with open("/proc/%s/stat" % entry) as file:
                    rest = file.read().rpartition(") ")[2].split()
                if int(rest[1]) == pid and rest[0] != "Z":
                    found.add(int(entry))
    return found


def run_case(binding: str, module: str, name: str, threads: int) -> None:
    """A case of tests/native/cases, in a process of its own."""
    done = subprocess.run(
        [
            *(sys.executable, "-m", "tests.native.cases." + module),
            *(name, str(threads)),
        ],
        env=child_environment({"WSGIBENCH_BACKEND": binding}),
        cwd=Path(__file__).resolve().parents[2],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=100,
    )
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    assert done.stdout.endswith("fine\n"), said
