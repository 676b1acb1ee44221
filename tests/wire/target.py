"""A server under test, in a process of its own.

Which one: servers/NAME.py says how it is started on an inherited listening
socket (`command(app, fd, settings) -> argv`). One process, one worker, so
that an application can count what reached it.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from wsgibench.audit import FOLDER
from wsgibench.audit.wire.exchange import Address, connect
from wsgibench.audit.wire.responses import Response, finals, parse_all

ROOT = Path(__file__).resolve().parents[2]


class Target:
    """A running server: its address, process and log."""

    def __init__(
        self, process: subprocess.Popen[bytes], address: Address, log: Path
    ) -> None:
        self.process = process
        self.address = address
        self.log = log
        self.mode = ""  # how it was started, where that differs

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    def log_text(self) -> str:
        return self.log.read_text(errors="replace")

    def send(self, raw: bytes, timeout: float = 20.0) -> bytes:
        """One conversation: `raw`, then everything until the server closes."""
        with contextlib.closing(connect(self.address, timeout)) as sock:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                sock.sendall(raw)
            return receive_all(sock)

    def get(self, path: str, *lines: str) -> Response:
        """GET on a connection of its own."""
        head = ["GET %s HTTP/1.1" % path, "Host: localhost"]
        head += ["Connection: close", *lines]
        raw = "\r\n".join(head).encode("latin-1") + b"\r\n\r\n"
        return finals(parse_all(self.send(raw)))[0]

    def json(self, path: str) -> Any:
        response = self.get(path)
        assert response.status == 200, (response, self.log_text()[-2000:])
        return json.loads(response.body)

    def terminate(self, grace: float = 20.0) -> int:
        if self.alive:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(grace)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise


def receive_all(sock: socket.socket) -> bytes:
    parts = []
    try:
        while True:
            piece = sock.recv(1 << 18)
            if not piece:
                break
            parts.append(piece)
    except ConnectionResetError:
        pass
    return b"".join(parts)


def listener(unix_path: str | None) -> socket.socket:
    if unix_path is not None:
        sock = socket.socket(socket.AF_UNIX)
        sock.bind(unix_path)
    else:
        sock = socket.socket(socket.AF_INET)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(("127.0.0.1", 0))
    sock.listen(2048)
    return sock


def child_environment(extra: dict[str, str] | None = None) -> dict[str, str]:
    """The child imports what this process can import."""
    environment = dict(os.environ)
    paths = [str(ROOT), str(FOLDER), *[path for path in sys.path if path]]
    environment["PYTHONPATH"] = os.pathsep.join(paths)
    environment["PYTHONUNBUFFERED"] = "1"
    # The name of a test can be longer than exec(3) allows.
    environment.pop("PYTEST_CURRENT_TEST", None)
    environment.update(extra or {})
    return environment


@contextlib.contextmanager
def running(
    app: str,
    *,
    server: str = "wsgibench",
    binding: str | None = None,
    unix: bool = False,
    environment: dict[str, str] | None = None,
    **settings: Any,
) -> Iterator[Target]:
    """`app` ("module:name") on `server`, until the block ends. Connections
    wait in the backlog until the server has started, so nothing here needs to
    wait for it."""
    plugin = importlib.import_module("tests.wire.servers." + server)
    folder = Path(tempfile.mkdtemp(prefix="wire-"))
    extra = dict(environment or {})
    if binding is not None:
        extra["WSGIBENCH_BACKEND"] = binding
    log = folder / "log"
    sock = listener(str(folder / "socket") if unix else None)
    with open(log, "wb") as output:
        process = subprocess.Popen(
            plugin.command(app, sock.fileno(), settings),
            cwd=ROOT,
            env=child_environment(extra),
            pass_fds=[sock.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    address = sock.getsockname()
    sock.close()
    target = Target(process, address, log)
    try:
        yield target
    finally:
        if target.alive:
            process.kill()
        process.wait()
        shutil.rmtree(folder, ignore_errors=True)
