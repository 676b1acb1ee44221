"""serve(object): one process, which no supervisor would end."""

from __future__ import annotations

import contextlib
import http.client
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Callable

import pytest

from tests.native.process import PATIENCE, Program, programs, until
from tests.native.serving import ask

APP = """
import os, sys, time
from wsgibench import serve

def hang(flag):
    open(flag, "w").close()
    while os.path.exists(flag):
        time.sleep(0.1)

def app(environ, start_response):
    path, query = environ["PATH_INFO"], environ["QUERY_STRING"]
    if path == "/stubborn":
        try:
            hang(query)
        except BaseException:
            hang(query + "-again")
    if path == "/wait":
        hang(query)
    start_response("200 OK", [("Content-Length", "1")])
    return [b"x"]

threads, grace = int(sys.argv[1]), float(sys.argv[2])
serve(app, port=0, threads=threads, grace=grace, announce=True,
      access_log="access", pid="pid")
print("returned", os.listdir("."), file=sys.stderr)
"""

Run = Callable[..., Program]


@pytest.fixture
def notes(tmp_path: Path) -> Iterator[socket.socket]:
    """Where the process tells what it does, as it would tell systemd."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(str(tmp_path / "notes"))
        sock.settimeout(PATIENCE)
        yield sock


@pytest.fixture
def run(binding: str, tmp_path: Path, notes: socket.socket) -> Iterator[Run]:
    """run(threads, grace): a process that serves APP."""
    (tmp_path / "script.py").write_text(APP)
    with programs() as start:
        yield lambda threads, grace: start(
            [sys.executable, "script.py", str(threads), str(grace)],
            {"WSGIBENCH_BACKEND": binding, "NOTIFY_SOCKET": "notes"},
            tmp_path,
        )


@pytest.mark.parametrize("threads", [0, 2])
@pytest.mark.parametrize(
    ("grace", "number", "twice"),
    [
        (0.5, signal.SIGTERM, False),
        (3600, signal.SIGTERM, True),
        (3600, signal.SIGINT, True),
        (3600, signal.SIGQUIT, False),
    ],
)
def test_a_call_that_hangs_keeps_no_one(
    run: Run,
    notes: socket.socket,
    tmp_path: Path,
    threads: int,
    grace: float,
    number: int,
    twice: bool,
) -> None:
    """Neither the grace nor the second signal waits for it."""
    program = run(threads, grace)
    connection = ask(program.port(), tmp_path / "flag")
    seen = len(list(tmp_path.iterdir()))
    program.process.send_signal(number)
    if twice:
        while b"STOPPING=1" not in notes.recv(1000):
            pass
        program.process.send_signal(number)
    with contextlib.suppress(OSError, http.client.HTTPException):
        assert connection.getresponse().status == 500
    assert program.wait() == 0, program.text
    assert "it is left" in program.text
    assert "Traceback" not in program.text
    last = program.lines[-1]
    assert last.startswith("returned")
    assert "'pid'" not in last
    assert len(list(tmp_path.iterdir())) == seen - 1  # the pid file


def test_an_application_that_goes_on_is_interrupted_again(
    run: Run, tmp_path: Path
) -> None:
    program = run(0, 3600)
    flag = tmp_path / "flag"
    connection = http.client.HTTPConnection("127.0.0.1", program.port(), 60)
    connection.request("GET", "/stubborn?%s" % flag)
    until(flag.exists, "the application was not called")
    program.process.send_signal(signal.SIGQUIT)
    until((tmp_path / "flag-again").exists, "it was not interrupted")
    assert program.wait() == 0, program.text


@pytest.mark.parametrize("threads", [0, 2])
def test_an_idle_server_has_nothing_to_leave(run: Run, threads: int) -> None:
    for number in (signal.SIGTERM, signal.SIGQUIT):
        program = run(threads, 3600)
        program.port()
        assert program.stop(number) == 0, program.text
        assert "left" not in program.text
        assert program.lines[-1].startswith("returned")
