"""SIGHUP: new code, and nobody is refused or cut off."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import socket
import sys
import threading
from pathlib import Path

import pytest

from tests.native.process import (
    children,
    get,
    programs,
    refused,
    until,
)
from tests.native.serving import (
    APP,
    Run,
    ask,
    change,
    until_replaced,
    worker_of,
)


@pytest.mark.parametrize("arguments", [(), ("--workers=2",), ("--threads=2",)])
def test_hup_loads_the_application_again(
    run_app: Run, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    """The old worker finishes its request; nobody is refused."""
    program = run_app(*arguments)
    port = program.port()
    flag = tmp_path / "flag"
    connection = ask(port, flag)
    change(tmp_path / "an_app.py", '"one"', '"two"')
    program.process.send_signal(signal.SIGHUP)
    until(lambda: get(port).endswith(b" two"), "it was not loaded again")
    flag.unlink()
    response = connection.getresponse()
    assert (response.status, response.read()[-3:]) == (200, b"one")
    until(
        lambda: all(get(port).endswith(b" two") for _ in range(20)),
        "an old worker goes on",
    )
    assert program.stop() == 0, program.text
    assert refused(port)


def test_new_code_that_does_not_start_leaves_the_old(
    run_app: Run, tmp_path: Path
) -> None:
    program = run_app("--workers=2")
    port = program.port()
    before = children(program.pid)
    change(tmp_path / "an_app.py", "def application", "def def application")
    program.process.send_signal(signal.SIGHUP)
    program.line("the old workers go on")
    until(lambda: children(program.pid) == before, "others than the old")
    assert get(port).endswith(b" one")
    change(tmp_path / "an_app.py", "def def", "def")
    change(tmp_path / "an_app.py", '"one"', '"two"')
    program.process.send_signal(signal.SIGHUP)
    until(lambda: get(port).endswith(b" two"), "it was not loaded again")
    assert program.stop() == 0, program.text


def test_many_hups_at_once_lose_no_request(
    run_app: Run, tmp_path: Path
) -> None:
    program = run_app("--workers=2")
    port = program.port()
    over = threading.Event()
    wrong: list[object] = []
    count = [0]

    def client() -> None:
        while not over.is_set():
            try:
                if not get(port).endswith(b" one"):
                    wrong.append("an answer")
            except (OSError, http.client.HTTPException) as error:
                wrong.append(error)
            count[0] += 1

    threads = [threading.Thread(target=client) for _ in range(8)]
    for thread in threads:
        thread.start()
    for _ in range(5):
        seen = children(program.pid)
        program.process.send_signal(signal.SIGHUP)
        until_replaced(program, seen)
    over.set()
    for thread in threads:
        thread.join()
    assert not wrong
    assert count[0] > 5
    assert program.stop() == 0, program.text


def test_an_object_cannot_be_imported_again(
    binding: str, tmp_path: Path
) -> None:
    (tmp_path / "an_app.py").write_text(APP)
    code = (
        "import an_app, wsgibench\n"
        "wsgibench.serve(an_app.application, port=0, announce=True)\n"
    )
    with programs() as start:
        program = start(
            [sys.executable, "-c", code],
            {"WSGIBENCH_BACKEND": binding},
            tmp_path,
        )
        port = program.port()
        assert worker_of(port) == program.pid
        program.process.send_signal(signal.SIGHUP)
        program.line("cannot be imported again")
        assert worker_of(port) == program.pid
        assert program.stop() == 0


def test_who_waits_in_a_queue_is_answered(run_app: Run) -> None:
    """Of two addresses, one inherited: while the worker is stopped clients
    connect, then the service is told to stop."""
    with socket.socket() as given:
        given.bind(("127.0.0.1", 0))
        fd = given.fileno()
        program = run_app(
            "--bind=127.0.0.1:0", "--bind=fd://%d" % fd, pass_fds=(fd,)
        )
        addresses = [("127.0.0.1", program.port()), given.getsockname()]
        program.line(":%d " % given.getsockname()[1])
    (worker,) = children(program.pid)
    os.kill(worker, signal.SIGSTOP)
    with contextlib.ExitStack() as stack:
        clients = [
            stack.enter_context(socket.create_connection(address, 20))
            for address in addresses * 20
        ]
        for client in clients:
            client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        program.process.send_signal(signal.SIGTERM)
        program.line("SIGTERM: stopping")
        os.kill(worker, signal.SIGCONT)
        for client in clients:
            answer = client.makefile("rb").read()
            assert answer.startswith(b"HTTP/1.1 200 OK"), answer
    assert program.wait() == 0, program.text
