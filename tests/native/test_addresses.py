"""Where `serve` listens."""

from __future__ import annotations

import contextlib
import socket
import stat
import sys
from pathlib import Path

import pytest

from tests.native.process import (
    get,
    programs,
    refused,
    until,
)
from tests.native.serving import (
    APP,
    Run,
    ask_unix,
)


@pytest.mark.parametrize(
    "arguments", [(), ("--workers=2",), ("--threads=2",), ("--reuse-port",)]
)
def test_several_addresses(
    run: Run, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    path = tmp_path / "s"
    program = run(
        "an_app",
        "--bind=127.0.0.1:0",
        "-b",
        "unix:%s" % path,
        "--bind=127.0.0.1:0",
        *arguments,
    )
    until(lambda: program.text.count("serving on") == 3, "not three")
    ports = [
        int(line.split(" (")[0].rpartition(":")[2])
        for line in program.lines
        if "http://" in line
    ]
    for port in ports * 5:
        assert get(port).endswith(b" one")
    assert ask_unix(str(path)).endswith(b" one")
    assert program.stop() == 0, program.text
    assert all(map(refused, ports))
    assert not path.exists()


def test_several_addresses_of_a_server_alone(
    binding: str, tmp_path: Path
) -> None:
    (tmp_path / "an_app.py").write_text(APP)
    code = (
        "import an_app, wsgibench\n"
        "wsgibench.serve(an_app.application, announce=True,\n"
        "    bind=['127.0.0.1:0', 'unix:s'])\n"
    )
    with programs() as start:
        program = start(
            [sys.executable, "-c", code],
            {"WSGIBENCH_BACKEND": binding},
            tmp_path,
        )
        program.line("unix:s")
        for _ in range(3):
            assert get(program.port()).endswith(b" one")
            assert ask_unix(str(tmp_path / "s")).endswith(b" one")
        assert program.stop() == 0


def test_sockets_of_systemd(run: Run) -> None:
    """LISTEN_FDS from 3 on, for this process."""
    with contextlib.ExitStack() as stack:
        listeners = [
            stack.enter_context(socket.create_server(("127.0.0.1", 0)))
            for _ in range(2)
        ]
        code = (
            "import os, sys\n"
            "fds = [int(fd) for fd in sys.argv[1].split(',')]\n"
            "spare = [os.dup(fd) for fd in fds]\n"
            "spare = [os.dup2(fd, 100 + i) for i, fd in enumerate(spare)]\n"
            "for i, fd in enumerate(spare):\n"
            "    os.dup2(fd, 3 + i, inheritable=True)\n"
            "os.environ.update(LISTEN_FDS=str(len(fds)),\n"
            "                  LISTEN_PID=str(os.getpid()))\n"
            "os.execv(sys.executable, [sys.executable, '-m', 'wsgibench',\n"
            "    'serve', 'an_app', '--workers=2', '--bind=127.0.0.1:1'])\n"
        )
        fds = [listener.fileno() for listener in listeners]
        argument = ",".join(map(str, fds))
        program = run(
            command=[sys.executable, "-c", code, argument],
            pass_fds=tuple(fds),
        )
        program.line("instead of 127.0.0.1:1")
        for listener in listeners * 3:
            assert get(listener.getsockname()[1]).endswith(b" one")
        assert program.stop() == 0, program.text


def test_a_unix_socket_with_a_full_queue_is_busy(
    run: Run, tmp_path: Path
) -> None:
    """A live server whose queue is full: the start neither hangs nor takes
    its socket away."""
    path = tmp_path / "s"
    with contextlib.ExitStack() as stack:
        live = stack.enter_context(socket.socket(socket.AF_UNIX))
        live.bind(str(path))
        live.listen(0)
        full = False
        while not full:
            client = stack.enter_context(socket.socket(socket.AF_UNIX))
            client.setblocking(False)
            try:
                client.connect(str(path))
            except BlockingIOError:
                full = True
        program = run("an_app", "--bind=unix:%s" % path)
        assert program.wait() == 1
        assert str(path) in program.lines[-1]
        assert path.exists()


@pytest.mark.parametrize(
    ("arguments", "mode"),
    [
        (("--uds-mode=600",), 0o600),
        (("--uds-mode=0666", "--umask=077"), 0o666),
        (("--umask=007",), 0o770),
    ],
)
def test_permissions_of_a_unix_socket(
    run: Run, tmp_path: Path, arguments: tuple[str, ...], mode: int
) -> None:
    path = tmp_path / "s"
    program = run("an_app", "--bind=unix:%s" % path, *arguments)
    program.line("serving on")
    assert stat.S_IMODE(path.stat().st_mode) == mode
    assert ask_unix(str(path)).endswith(b" one")
    assert program.stop() == 0
