"""gunicorn -k wsgibench.gunicorn.Worker, with the real gunicorn."""

from __future__ import annotations

import http.client
import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from tests.native.process import (
    Program,
    children,
    get,
    until,
)
from tests.native.serving import Run, ask, port_of

pytest.importorskip("gunicorn")

APP = """
import os, sys, time

def app(environ, start_response):
    path = environ["PATH_INFO"]
    if path == "/exit":
        sys.exit(3)
    if path == "/hang":
        time.sleep(3600)
    if path == "/wait":
        open(environ["QUERY_STRING"], "w").close()
        while os.path.exists(environ["QUERY_STRING"]):
            time.sleep(0.01)
    start_response("200 OK", [("Content-Type", "text/plain")])
    flags = "%d%d" % (
        environ["wsgi.multithread"], environ["wsgi.multiprocess"])
    if path == "/raise":
        raise ValueError("from the application")
    if path == "/flags":
        return [flags.encode()]
    return [("%d %s" % (os.getpid(), VERSION)).encode()]

VERSION = "one"
"""


@pytest.fixture
def run(gunicorn: Run, tmp_path: Path) -> Run:
    (tmp_path / "gapp.py").write_text(APP)

    def start(*arguments: str, **environment: str) -> Program:
        return gunicorn(*arguments, "gapp:app", **environment)

    return start


@pytest.mark.parametrize(
    ("arguments", "flags"),
    [
        ((), b"00"),
        (("--workers", "2"), b"01"),
        (("--threads", "3"), b"10"),
        (("-b", "127.0.0.1:0"), b"00"),  # two sockets
    ],
)
def test_serves_and_stops(
    run: Run, tmp_path: Path, arguments: tuple[str, ...], flags: bytes
) -> None:
    program = run(*arguments)
    port = port_of(program)
    # Both workers are up when one is busy and another answers: a signal
    # while gunicorn forks would be lost.
    busy = ask(port, tmp_path / "flag") if "--workers" in arguments else None
    assert get(port, "/flags") == flags
    if busy is not None:
        (tmp_path / "flag").unlink()
        assert busy.getresponse().status == 200
    for _ in range(20):
        assert get(port).endswith(b" one")
    assert program.stop() == 0, program.text
    assert "Traceback" not in program.text


def test_two_sockets(run: Run) -> None:
    program = run("-b", "127.0.0.1:0")
    line = program.line("Listening at: http://")
    program.line("Booting worker")
    urls = line.partition("Listening at: ")[2].split(" (")[0].split(",")
    ports = [int(url.rpartition(":")[2]) for url in urls]
    assert len(ports) == 2
    for port in ports * 5:
        assert get(port).endswith(b" one")
    assert program.stop() == 0, program.text


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGQUIT])
def test_quick_stop(run: Run, tmp_path: Path, number: int) -> None:
    """SIGINT and SIGQUIT do not wait for a request under way."""
    program = run("--graceful-timeout", "20")
    port = port_of(program)
    assert get(port)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.connect()  # idle
    assert program.stop(number) == 0, program.text


@pytest.mark.parametrize("arguments", [(), ("--threads", "2")])
def test_term_finishes_what_is_under_way(
    run: Run, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    program = run(*arguments)
    connection = ask(port_of(program), tmp_path / "flag")
    program.process.send_signal(signal.SIGTERM)
    program.line("Handling signal: term")
    (tmp_path / "flag").unlink()
    response = connection.getresponse()
    assert (response.status, response.read()[-3:]) == (200, b"one")
    assert program.wait() == 0, program.text


def test_hup_loads_the_application_again(run: Run, tmp_path: Path) -> None:
    """And the old worker finishes its request."""
    program = run()
    port = port_of(program)
    connection = ask(port, tmp_path / "flag")
    changed = APP.replace('"one"', '"another"')
    (tmp_path / "gapp.py").write_text(changed)
    seen = len(program.lines)
    program.process.send_signal(signal.SIGHUP)
    program.line("Booting worker", after=seen)
    (tmp_path / "flag").unlink()
    assert connection.getresponse().read().endswith(b" one")
    until(lambda: get(port).endswith(b" another"), "it was not reloaded")
    assert program.stop() == 0, program.text


def test_a_stuck_worker_is_replaced(run: Run) -> None:
    program = run("--timeout", "1")
    port = port_of(program)
    first = get(port)
    seen = len(program.lines)
    with_answer: dict[str, Any] = {}
    try:
        with_answer["body"] = get(port, "/hang")
    except (http.client.HTTPException, OSError) as error:
        with_answer["error"] = error
    assert with_answer.get("body", b"") != first
    program.line("WORKER TIMEOUT", after=seen)
    program.line("Booting worker", after=seen)
    assert get(port) != first
    assert program.stop() == 0


def test_an_idle_worker_is_not_stuck(run: Run) -> None:
    """It notifies although nothing wakes it."""
    program = run("--timeout", "3")
    port = port_of(program)
    (worker,) = {int(get(port).split()[0])}
    done = run("--timeout", "3", "--threads", "2")
    port_of(done)
    end = time.monotonic() + 5  # gunicorn looks once a second
    until(lambda: time.monotonic() > end, "never")
    assert int(get(port).split()[0]) == worker
    for each in (program, done):
        assert each.stop() == 0
        assert "TIMEOUT" not in each.text


def test_max_requests(run: Run) -> None:
    program = run("--max-requests", "5")
    port = port_of(program)
    pids = {get(port).split()[0] for _ in range(30)}
    assert len(pids) >= 3
    assert program.stop() == 0, program.text


def test_a_killed_worker_is_replaced(run: Run) -> None:
    program = run("--workers", "2")
    port = port_of(program)
    until(lambda: len(children(program.pid)) >= 2, "two workers")
    victim = int(get(port).split()[0])
    os.kill(victim, signal.SIGKILL)
    for _ in range(50):
        assert int(get(port).split()[0]) != victim
    assert program.stop() == 0


@pytest.mark.parametrize("threads", ["1", "2"])
def test_an_application_that_exits(run: Run, threads: str) -> None:
    """With the code by which gunicorn knows that no worker can start."""
    program = run("--threads", threads)
    port = port_of(program)
    first = get(port)
    seen = len(program.lines)
    assert b"500" in get(port, "/exit")
    program.line("Booting worker", after=seen)
    assert get(port) != first
    assert program.stop() == 0, program.text


def test_errors_go_to_gunicorns_log(run: Run, tmp_path: Path) -> None:
    program = run("--error-logfile", "errors", "--log-level", "debug")
    until((tmp_path / "errors").exists, "no log")
    text = (tmp_path / "errors").read_text

    until(lambda: "Booting worker" in text(), "no worker")
    line = next(x for x in text().splitlines() if "Listening at" in x)
    port = int(line.split(" (")[0].rpartition(":")[2])
    assert b"500" in get(port, "/raise")
    until(lambda: "from the application" in text(), "the log has no error")
    program.stop()


def test_access_log_and_its_rotation(run: Run, tmp_path: Path) -> None:
    log, rotated = tmp_path / "access", tmp_path / "access.1"
    program = run("--access-logfile", str(log))
    port = port_of(program)
    get(port, "/before")
    log.rename(rotated)
    program.process.send_signal(signal.SIGUSR1)
    until(log.exists, "it was not opened again")
    get(port, "/after")
    assert program.stop() == 0, program.text
    lines = rotated.read_text() + log.read_text()
    assert '"GET /before HTTP/1.1" 200' in lines
    assert '"GET /after HTTP/1.1" 200' in log.read_text()


def test_limits_and_settings(run: Run) -> None:
    program = run(
        "--limit-request-line", "300", WSGIBENCH_SETTINGS="server_header=Abc"
    )
    port = port_of(program)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", "/")
    response = connection.getresponse()
    assert response.getheader("Server") == "Abc"
    response.read()
    connection.request("GET", "/" + "x" * 400)
    assert connection.getresponse().status == 414
    assert program.stop() == 0


def test_wrong_settings_are_told(run: Run) -> None:
    program = run(WSGIBENCH_SETTINGS="nonsense=1")
    program.line("WSGIBENCH_SETTINGS is like")
    assert program.wait() != 0
