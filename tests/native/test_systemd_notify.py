"""What systemd is told: sd_notify(3)."""

from __future__ import annotations

import signal
import socket
import sys
from pathlib import Path

import pytest

from tests.native.process import (
    Program,
    get,
    programs,
)
from tests.native.serving import (
    APP,
    Run,
)


class Notified:
    """What a service tells systemd."""

    def __init__(self, path: Path) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.sock.bind(str(path))
        self.sock.settimeout(30)

    def next(self) -> dict[str, str]:
        text = self.sock.recv(4096).decode()
        return dict(line.split("=", 1) for line in text.splitlines())

    def until(self, name: str) -> dict[str, str]:
        found = self.next()
        while name not in found:
            found = self.next()
        return found


@pytest.mark.parametrize("alone", [False, True])
def test_systemd_is_notified(
    run: Run, binding: str, tmp_path: Path, alone: bool
) -> None:
    notified = Notified(tmp_path / "notify")
    environment = {
        "NOTIFY_SOCKET": str(tmp_path / "notify"),
        "WATCHDOG_USEC": "400000",
        "WSGIBENCH_BACKEND": binding,
    }
    if alone:
        code = (
            "import an_app, wsgibench\n"
            "wsgibench.serve(an_app.application, port=0, announce=True)\n"
        )
        with programs() as start:
            (tmp_path / "an_app.py").write_text(APP)
            program = start(
                [sys.executable, "-c", code], environment, tmp_path
            )
            follow(notified, program, reloads=False)
    else:
        program = run("an_app", "--port=0", environment=environment)
        follow(notified, program, reloads=True)
    notified.sock.close()


def follow(notified: Notified, program: Program, reloads: bool) -> None:
    ready = notified.until("READY")
    assert ready["MAINPID"] == str(program.pid)
    assert get(program.port()).endswith(b" one")
    for _ in range(3):
        notified.until("WATCHDOG")
    if reloads:
        program.process.send_signal(signal.SIGHUP)
        assert int(notified.until("RELOADING")["MONOTONIC_USEC"]) > 0
        notified.until("READY")
    program.process.send_signal(signal.SIGTERM)
    notified.until("STOPPING")
    assert program.wait() == 0
