"""`serve` under signals other than SIGHUP."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import time
from pathlib import Path

import pytest

from tests.native.process import (
    children,
    get,
    refused,
    until,
)
from tests.native.serving import (
    Run,
    ask,
    until_there_are,
)


def test_ttin_and_ttou(run_app: Run) -> None:
    program = run_app()
    port = program.port()
    for number, workers in (
        (signal.SIGTTIN, 2),
        (signal.SIGTTIN, 3),
        (signal.SIGTTOU, 2),
        (signal.SIGTTOU, 1),
    ):
        program.process.send_signal(number)
        until_there_are(program, workers)
    program.process.send_signal(signal.SIGTTOU)
    program.line("the least")
    assert get(port).endswith(b" one")
    assert program.stop() == 0, program.text


@pytest.mark.parametrize("to_all", [False, True])
def test_signals_that_must_not_end_it(run_app: Run, to_all: bool) -> None:
    program = run_app("--workers=2")
    port = program.port()
    before = children(program.pid)
    for number in (signal.SIGWINCH, signal.SIGUSR2, signal.SIGUSR1):
        if to_all:
            os.killpg(program.pid, number)
        else:
            program.process.send_signal(number)
    for worker in before:
        for number in (signal.SIGTTIN, signal.SIGTTOU, signal.SIGHUP):
            os.kill(worker, number)
    for _ in range(10):
        assert get(port).endswith(b" one")
    assert children(program.pid) == before
    assert program.stop() == 0, program.text


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize(
    "arguments", [("--threads=2",), ("--threads=2", "--workers=2"), ()]
)
def test_a_stop_of_the_whole_group_cuts_no_answer(
    run_app: Run, tmp_path: Path, arguments: tuple[str, ...], number: int
) -> None:
    """As systemd does it, and Ctrl-C: every process gets the signal."""
    program = run_app(*arguments)
    port = program.port()
    flag = tmp_path / "flag"
    connection = ask(port, flag)
    os.killpg(program.pid, number)
    if arguments:
        until(lambda: refused(port), "it still listens")
    program.line("stopping")
    flag.unlink()
    response = connection.getresponse()
    assert (response.status, response.read()[-3:]) == (200, b"one")
    assert program.wait() == 0, program.text


def test_quit_does_not_wait(run_app: Run, tmp_path: Path) -> None:
    program = run_app("--threads=1", "--grace=60")
    port = program.port()
    flag = tmp_path / "flag"
    connection = ask(port, flag)
    program.process.send_signal(signal.SIGQUIT)
    with pytest.raises((OSError, http.client.HTTPException)):
        connection.getresponse()
    flag.unlink()
    assert program.wait() == 0, program.text


SLOW = """
import os, time
os.close(os.open("importing", os.O_CREAT))  # no object that is finalized
while os.path.exists("importing"):
    time.sleep(0.01)
from an_app import application
"""


@pytest.mark.parametrize("arguments", [(), ("--workers=2",), ("--preload",)])
def test_signals_while_the_application_is_imported(
    run_app: Run, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    (tmp_path / "slow.py").write_text(SLOW)
    program = run_app(*arguments, app="slow")
    until((tmp_path / "importing").exists, "no import")
    for number in (signal.SIGUSR1, signal.SIGWINCH, signal.SIGUSR2):
        os.killpg(program.pid, number)
    (tmp_path / "importing").unlink()
    until_gone = [tmp_path / "importing"]

    def imported() -> bool:
        with contextlib.suppress(OSError):
            until_gone[0].unlink()
        return "serving on" in program.text

    until(imported, "it does not serve")
    assert get(program.port()).endswith(b" one")
    assert program.stop() == 0, program.text


@pytest.mark.parametrize(
    "number", [signal.SIGTERM, signal.SIGINT, signal.SIGQUIT]
)
@pytest.mark.parametrize("arguments", [(), ("--preload",)])
def test_a_stop_while_the_application_is_imported(
    run_app: Run, tmp_path: Path, arguments: tuple[str, ...], number: int
) -> None:
    (tmp_path / "slow.py").write_text(SLOW)
    more = ("--pid=pid", "--bind=unix:socket", *arguments)
    program = run_app("--grace=60", *more, app="slow")
    until((tmp_path / "importing").exists, "no import")
    assert (tmp_path / "socket").exists()
    assert program.stop(number) == 0, program.text
    assert not (tmp_path / "pid").exists()
    assert not (tmp_path / "socket").exists()
    assert "Traceback" not in program.text


def test_a_second_service_takes_over(run_app: Run) -> None:
    """Two share a port while the first one stops: nobody is refused."""
    first = run_app("--reuse-port", "--workers=2")
    port = first.port()
    second = run_app("--reuse-port", "--port=%d" % port)
    assert second.port() == port
    first.process.send_signal(signal.SIGTERM)
    while first.process.poll() is None:
        assert get(port).endswith(b" one")
    assert first.wait() == 0, first.text
    assert get(port).endswith(b" one")
    assert second.stop() == 0, second.text


ASYNCIO = """
import asyncio, signal
from an_app import application as inner

async def work():
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGUSR2, print)

def application(environ, start_response):
    asyncio.run(work())
    return inner(environ, start_response)
"""


@pytest.mark.parametrize("arguments", [(), ("--threads=1",)])
def test_an_application_that_takes_the_wakeup_descriptor(
    run_app: Run, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    """asyncio sets it to its own, and then to none."""
    (tmp_path / "aio.py").write_text(ASYNCIO)
    # No deadline must end its sleep, either.
    kinds = ("head", "body", "idle", "write")
    off = ["--%s-timeout=0" % kind for kind in kinds]
    program = run_app("--grace=20", *off, *arguments, app="aio")
    port = program.port()
    if not arguments:
        assert get(port).endswith(b" one")
    (worker,) = children(program.pid)
    started = time.monotonic()
    assert program.stop() == 0, program.text
    # Not killed after the grace, but ended by itself.
    assert time.monotonic() - started < 15
    assert worker
