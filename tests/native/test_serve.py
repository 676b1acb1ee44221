"""`python -m wsgibench serve` as people run it."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable

import pytest

from tests.wire.target import child_environment

APP = """
import os, time

def application(environ, start_response):
    path = environ["PATH_INFO"]
    if path == "/die":
        os._exit(9)
    if path == "/wait":
        open(environ["QUERY_STRING"], "w").close()
        while os.path.exists(environ["QUERY_STRING"]):
            time.sleep(0.01)
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [str(os.getpid()).encode()]
"""

Run = Callable[..., Any]


@pytest.fixture
def serve(binding: str, tmp_path: Path) -> Iterator[Run]:
    """serve(*arguments): a process whose first line has been read."""
    (tmp_path / "site.d").mkdir()
    (tmp_path / "site.d" / "an_app.py").write_text(APP)
    (tmp_path / "site.d" / "broken.py").write_text("1 / 0\n")
    running: list[subprocess.Popen[str]] = []

    def start(*arguments: str, port: int = 0) -> Any:
        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "wsgibench",
                "serve",
                "--chdir",
                str(tmp_path / "site.d"),
                "--port",
                str(port),
                *arguments,
            ],
            env=child_environment({"WSGIBENCH_BACKEND": binding}),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        running.append(process)
        return process

    yield start
    for process in running:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def port_of(process: Any) -> int:
    line = process.stderr.readline()
    assert "serving on http://" in line, line + process.stderr.read()
    return int(line.split(" (")[0].rpartition(":")[2])


def get(port: int, path: str = "/") -> bytes:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", path)
    data = connection.getresponse().read()
    connection.close()
    return data


@pytest.mark.parametrize(
    "arguments", [(), ("--threads", "2"), ("--workers", "2")]
)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_serves_until_a_signal(
    serve: Run, arguments: tuple[str, ...], number: int
) -> None:
    process = serve("an_app", *arguments)
    port = port_of(process)
    assert get(port).isdigit()
    process.send_signal(number)
    assert process.wait(20) == 0
    (line,) = process.stderr.read().splitlines()
    assert line.endswith("%s: stopping" % signal.Signals(number).name)


def connect_until_refused(port: int) -> None:
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 5).close()
        except ConnectionResetError:
            continue  # in the queue when the listener was closed
        except ConnectionRefusedError:
            return


@pytest.mark.parametrize(
    "arguments", [("--threads", "2"), ("--threads", "2", "--workers", "2")]
)
def test_a_request_under_way_is_finished(
    serve: Run, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    """SIGTERM closes the listener at once and waits for the answer."""
    process = serve("an_app", *arguments)
    port = port_of(process)
    flag = tmp_path / "flag"
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", "/wait?%s" % flag)
    while not flag.exists():
        assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    connect_until_refused(port)
    flag.unlink()
    response = connection.getresponse()
    assert (response.status, response.read().isdigit()) == (200, True)
    assert response.getheader("Connection") == "close"
    assert process.wait(20) == 0


def test_a_dead_worker_is_replaced(serve: Run) -> None:
    process = serve("an_app", "--workers", "2")
    port = port_of(process)
    before = {get(port) for _ in range(20)}
    victim = int(min(before))
    os.kill(victim, signal.SIGKILL)
    assert "worker %d ended" % victim in process.stderr.readline()
    for _ in range(100):
        assert get(port) != str(victim).encode()


def test_workers_die_with_their_supervisor(serve: Run) -> None:
    process = serve("an_app", "--workers", "2")
    port = port_of(process)
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", port), 5)


def one_sentence(process: Any, code: int) -> str:
    assert process.wait(20) == code
    text: str = process.stderr.read()
    last = text.splitlines()[-1]
    assert last.startswith("wsgibench: ")
    assert last.endswith(".")
    return last


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("nowhere",), 2, "no module 'nowhere'"),
        (("an_app:nothing",), 2, "no attribute 'nothing'"),
        (("an_app:os",), 2, "not callable"),
        (("broken",), 1, "ZeroDivisionError"),
        (("an_app", "--bind", "nonsense"), 2, "nonsense"),
        (("an_app", "--bind", "fd://99"), 2, "fd://99"),
        (("an_app", "--host", "192.0.2.1"), 1, "192.0.2.1"),
        (("an_app", "--threads", "-1"), 2, "threads"),
        (("an_app", "--workers", "0"), 2, "workers"),
        (("an_app", "--grace", "-1"), 2, "grace"),
        (("an_app", "--hang-timeout", "-1"), 2, "hang_timeout"),
        (("an_app", "--workers", "2", "--max-head", "99999"), 2, "max_head"),
        (("an_app", "--max-head", "99999"), 2, "max_head"),
        (("an_app", "--max-fields", "-1"), 2, "max_fields"),
        (("an_app", "--server-header", "a\nb"), 2, "server_header"),
        (("an_app", "--workers", "2", "--access-log", "/nowhere/log"), 1, "/"),
        (("an_app", "--access-log", "/nowhere/log"), 1, "/nowhere/log"),
    ],
)
def test_what_is_wrong_is_told_in_a_sentence(
    serve: Run, arguments: tuple[str, ...], code: int, words: str
) -> None:
    assert words in one_sentence(serve(*arguments), code)


def test_busy_port(serve: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        assert str(port) in one_sentence(serve("an_app", port=port), 1)
