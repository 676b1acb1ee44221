"""How the `serve` command runs: workers that hang or die, reload, binds."""

from __future__ import annotations

import contextlib
import os
import platform
import re
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Callable

import pytest

from tests.native.process import (
    Program,
    children,
    get,
    programs,
    refused,
    serve_command,
    until,
)

APP = """
import os, time

VERSION = "one"

def spin():
    while True:
        pass

def application(environ, start_response):
    path = environ["PATH_INFO"]
    if path == "/sleep":
        time.sleep(3600)
    if path == "/spin":
        spin()
    if path == "/wait":
        open(environ["QUERY_STRING"], "w").close()
        while os.path.exists(environ["QUERY_STRING"]):
            time.sleep(0.01)
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [("%d %s" % (os.getpid(), VERSION)).encode()]
"""

Run = Callable[..., Program]
PYPY = platform.python_implementation() == "PyPy"


@pytest.fixture
def run(binding: str, tmp_path: Path) -> Iterator[Run]:
    (tmp_path / "an_app.py").write_text(APP)
    with programs() as start:

        def serve(
            *arguments: str, app: str = "an_app", **more: object
        ) -> Program:
            return start(
                serve_command(app, "--port=0", *arguments),
                {"WSGIBENCH_BACKEND": binding, "PYTHONDONTWRITEBYTECODE": "1"},
                tmp_path,
                **more,
            )

        yield serve


def worker_of(port: int) -> int:
    return int(get(port).split()[0])


def ask_in_vain(port: int, path: str) -> None:
    """A request whose worker is ended before it answers."""
    with socket.create_connection(("127.0.0.1", port), 30) as sock:
        sock.sendall(b"GET %s HTTP/1.0\r\n\r\n" % path.encode())
        with contextlib.suppress(ConnectionResetError):
            assert sock.recv(100) == b""


# Stuck workers ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "path"),
    [
        (("--workers=2",), "/sleep"),
        (("--workers=2",), "/spin"),
        (("--workers=1",), "/sleep"),
        (("--workers=1", "--threads=1"), "/sleep"),
    ],
)
def test_a_stuck_worker_is_ended_and_replaced(
    run: Run, arguments: tuple[str, ...], path: str
) -> None:
    """And says where it was stuck."""
    program = run("--hang-timeout=0.8", *arguments)
    port = program.port()
    before = children(program.pid)
    ask_in_vain(port, path)
    line = program.line("stuck for 0.8 seconds")
    victim = int(line.split("worker ")[1].split()[0])
    assert victim in before
    program.line("Fatal Python error: Aborted")
    if not ("--threads=1" in arguments and PYPY):
        # PyPy's faulthandler writes the stack of one thread only.
        program.line("in spin" if path == "/spin" else "in application")
    program.line("worker %d ended" % victim)
    assert worker_of(port) != victim
    assert program.stop() == 0, program.text


def test_an_idle_worker_and_a_slow_client_are_not_stuck(run: Run) -> None:
    program = run("--hang-timeout=2", "--workers=2")
    port = program.port()
    before = children(program.pid)
    with socket.create_connection(("127.0.0.1", port), 30) as sock:
        sock.sendall(b"GET / HTTP/1.1\r\n")
        end = time.monotonic() + 5
        until(lambda: time.monotonic() > end, "never")
        sock.sendall(b"Host: a\r\nConnection: close\r\n\r\n")
        assert sock.makefile("rb").read().endswith(b" one")
    assert children(program.pid) == before
    assert program.stop() == 0
    assert "stuck" not in program.text


def test_a_service_that_was_paused_is_not_stuck(run: Run) -> None:
    """As by `docker pause`: all of its processes at once."""
    program = run("--hang-timeout=0.8", "--workers=2")
    port = program.port()
    before = children(program.pid)
    os.killpg(program.pid, signal.SIGSTOP)
    end = time.monotonic() + 1.5
    until(lambda: time.monotonic() > end, "never")
    os.killpg(program.pid, signal.SIGCONT)
    for _ in range(20):
        assert get(port).endswith(b" one")
    assert children(program.pid) == before
    assert program.stop() == 0
    assert "stuck" not in program.text


# Workers ---------------------------------------------------------------------


def test_a_worker_that_keeps_dying_is_replaced_ever_more_slowly(
    run: Run, tmp_path: Path
) -> None:
    (tmp_path / "dying.py").write_text(
        "import os, threading\n"
        "def application(environ, start_response): pass\n"
        "def die(): os.path.exists('live') or os._exit(7)\n"
        "threading.Timer(0.1, die).start()\n"
    )
    start = time.monotonic()
    program = run("--workers=2", app="dying")
    until(lambda: program.text.count("replacing it") >= 6, "no replacement")
    # The pauses alone: two workers at once, then 0.4 s, then 1.6 s.
    assert time.monotonic() - start > 1.9
    assert program.stop() == 0


def test_a_socket_for_each_worker(run: Run) -> None:
    """SO_REUSEPORT: the kernel deals connections out among the workers."""
    program = run("--workers=2", "--reuse-port")
    port = program.port()
    seen: set[int] = set()

    def both_answered() -> bool:
        seen.add(worker_of(port))
        return len(seen) == 2

    until(both_answered, "only one worker answers")
    with open("/proc/net/tcp") as file:
        listening = [
            line
            for line in file
            if ":%04X " % port in line.split()[1] + " "
            and line.split()[3] == "0A"
        ]
    assert len(listening) == 2
    assert program.stop() == 0, program.text
    assert refused(port)


def test_workers_end_when_their_supervisor_is_killed(run: Run) -> None:
    program = run("--workers=2")
    port = program.port()
    assert worker_of(port)
    os.kill(program.pid, signal.SIGKILL)
    program.wait()
    until(lambda: refused(port), "the workers live on")


@pytest.mark.parametrize("arguments", [(), ("--workers=2",)])
def test_a_second_signal_ends_at_once(
    run: Run, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    program = run("--grace=60", "--threads=1", *arguments)
    port = program.port()
    flag = tmp_path / "flag"
    with socket.create_connection(("127.0.0.1", port), 30) as sock:
        sock.sendall(b"GET /wait?%s HTTP/1.0\r\n\r\n" % str(flag).encode())
        until(flag.exists, "the application was not called")
        program.process.send_signal(signal.SIGTERM)
        until(lambda: refused(port), "it still listens")
        program.process.send_signal(signal.SIGTERM)
        with contextlib.suppress(ConnectionResetError):
            assert sock.recv(100) == b""
        flag.unlink()
    program.wait()


@pytest.mark.parametrize("arguments", [(), ("--workers=2",)])
def test_the_access_log_is_opened_again(
    run: Run, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    log, rotated = tmp_path / "access", tmp_path / "access.1"
    program = run("--access-log=%s" % log, *arguments)
    port = program.port()
    get(port, "/before")
    log.rename(rotated)
    program.process.send_signal(signal.SIGUSR1)
    until(log.exists, "it was not opened again")
    get(port, "/after")
    assert program.stop() == 0, program.text
    text = rotated.read_text() + log.read_text()
    assert '"GET /before HTTP/1.1" 200' in text
    assert '"GET /after HTTP/1.1" 200' in text


@pytest.mark.parametrize("arguments", [(), ("--workers=2",)])
def test_the_access_log_on_standard_output(
    run: Run, arguments: tuple[str, ...]
) -> None:
    """And nothing else there: the address goes to stderr."""
    program = run("--access-log=-", "--log-format=combined", *arguments)
    port = program.port()
    get(port, "/a")
    get(port, '/b?"')
    assert program.stop() == 0, program.text
    assert program.process.stdout is not None
    lines = sorted(program.process.stdout.read().splitlines())
    assert len(lines) == 2
    form = re.compile(
        r"127\.0\.0\.1 - - \[\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d \+0000\] "
        r'"GET /(a|b\?\\") HTTP/1\.1" 200 \d+ "-" "-"'
    )
    for line in lines:
        assert form.fullmatch(line), line


# Reload ----------------------------------------------------------------------


def change(path: Path, old: str, new: str) -> None:
    """As an editor does: a new file in the place of the old."""
    spare = path.with_suffix(".new")
    spare.write_text(path.read_text().replace(old, new))
    os.replace(spare, path)


def test_reload(run: Run, tmp_path: Path) -> None:
    program = run("--reload")
    port = program.port()
    assert get(port).endswith(b" one")
    change(tmp_path / "an_app.py", '"one"', '"two"')
    program.line("an_app.py changed")
    until(lambda: get(port).endswith(b" two"), "it was not loaded again")
    # One that cannot be loaded waits for the next change; nobody is refused.
    seen = len(program.lines)
    change(tmp_path / "an_app.py", "def application", "def def application")
    program.line("Waiting for a change", after=seen)
    change(tmp_path / "an_app.py", "def def", "def")
    assert get(port).endswith(b" two")
    assert program.stop() == 0, program.text
    assert refused(port)


def test_reload_finishes_what_is_under_way(run: Run, tmp_path: Path) -> None:
    program = run("--reload")
    port = program.port()
    flag = tmp_path / "flag"
    with socket.create_connection(("127.0.0.1", port), 30) as sock:
        sock.sendall(b"GET /wait?%s HTTP/1.0\r\n\r\n" % str(flag).encode())
        until(flag.exists, "the application was not called")
        change(tmp_path / "an_app.py", '"one"', '"two"')
        program.line("changed")
        flag.unlink()
        assert sock.makefile("rb").read().endswith(b" one")
    # The old one still answers who is in its queue when it stops.
    until(lambda: get(port).endswith(b" two"), "it was not loaded again")
    assert program.stop(signal.SIGINT) == 0, program.text


# Where it listens ------------------------------------------------------------


def ask_unix(address: str) -> bytes:
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(30)
        sock.connect(address)
        sock.sendall(b"GET / HTTP/1.0\r\n\r\n")
        return sock.makefile("rb").read()


@pytest.mark.parametrize("arguments", [(), ("--workers=2",), ("--reload",)])
def test_unix_socket(
    run: Run, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    path = tmp_path / "s"
    program = run("--bind=unix:%s" % path, *arguments)
    program.line("serving on")
    assert ask_unix(str(path)).endswith(b" one")
    assert program.stop() == 0, program.text
    assert not path.exists()


def test_a_stale_unix_socket_is_replaced(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))
    program = run("--bind=unix:%s" % path)
    assert str(path) in program.line("serving on")
    assert ask_unix(str(path)).endswith(b" one")
    busy = run("--bind=unix:%s" % path)
    assert busy.wait() == 1
    assert str(path) in busy.lines[-1]
    assert ask_unix(str(path)).endswith(b" one")
    assert program.stop() == 0


def test_abstract_unix_socket(run: Run) -> None:
    name = "wsgibench-running-%d" % os.getpid()
    program = run("--bind=unix:@" + name)
    assert "unix:@" + name in program.line("serving on")
    assert ask_unix("\0" + name).endswith(b" one")
    assert program.stop() == 0


@pytest.mark.parametrize("arguments", [(), ("--workers=2",)])
def test_inherited_socket(run: Run, arguments: tuple[str, ...]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        fd = listener.fileno()
        program = run("--bind=fd://%d" % fd, *arguments, pass_fds=(fd,))
        port = listener.getsockname()[1]
        assert program.port() == port
        assert get(port).endswith(b" one")
        assert program.stop() == 0, program.text


def test_host_and_port_in_one(run: Run) -> None:
    program = run("--bind=127.0.0.1:0")
    assert get(program.port()).endswith(b" one")
    assert program.stop() == 0


def test_ipv6(run: Run) -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("there is no IPv6 here")
    program = run("--bind=[::1]:0")
    line = program.line("serving on http://[::1]:")
    port = int(line.split(" (")[0].rpartition(":")[2])
    with socket.create_connection(("::1", port), 30) as sock:
        sock.sendall(b"GET / HTTP/1.0\r\n\r\n")
        assert sock.makefile("rb").read().endswith(b" one")
    assert program.stop() == 0
