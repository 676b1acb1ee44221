"""The life of `serve`: signals, new code, workers that come and go."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
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
from wsgibench.native.identity import cpus

APP = """
import os, time

VERSION = "one"

def application(environ, start_response):
    path = environ["PATH_INFO"]
    if path == "/wait":
        open(environ["QUERY_STRING"], "w").close()
        while os.path.exists(environ["QUERY_STRING"]):
            time.sleep(0.01)
    if path == "/die":
        os._exit(9)
    if path == "/raise":
        raise ValueError("from the application")
    if path == "/ids":
        mask = os.umask(0)
        os.umask(mask)
        body = "%d %d %o %s" % (os.getuid(), os.getgid(), mask, os.getcwd())
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [body.encode()]
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [("%d %s" % (os.getpid(), VERSION)).encode()]
"""

Run = Callable[..., Program]


@pytest.fixture
def run(binding: str, tmp_path: Path) -> Iterator[Run]:
    (tmp_path / "an_app.py").write_text(APP)
    with programs() as start:

        def serve(
            *arguments: str,
            app: str = "an_app",
            environment: dict[str, str] | None = None,
            **more: object,
        ) -> Program:
            return start(
                serve_command(app, "--port=0", *arguments),
                {
                    "WSGIBENCH_BACKEND": binding,
                    "PYTHONDONTWRITEBYTECODE": "1",
                    **(environment or {}),
                },
                tmp_path,
                **more,
            )

        yield serve


def worker_of(port: int) -> int:
    return int(get(port).split()[0])


def ask(port: int, flag: Path) -> http.client.HTTPConnection:
    """A request that is answered when the file `flag` is removed."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request("GET", "/wait?%s" % flag)
    until(flag.exists, "the application was not called")
    return connection


def change(path: Path, old: str, new: str) -> None:
    """As an editor does: a new file in the place of the old."""
    spare = path.with_suffix(".new")
    spare.write_text(path.read_text().replace(old, new))
    os.replace(spare, path)


# New code --------------------------------------------------------------------


@pytest.mark.parametrize("arguments", [(), ("--workers=2",), ("--threads=2",)])
def test_hup_loads_the_application_again(
    run: Run, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    """The old worker finishes its request; nobody is refused."""
    program = run(*arguments)
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
    run: Run, tmp_path: Path
) -> None:
    program = run("--workers=2")
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


def until_replaced(program: Program, workers: set[int]) -> None:
    until(
        lambda: not (children(program.pid) & workers),
        "the old workers live on",
    )


def test_many_hups_at_once_lose_no_request(run: Run, tmp_path: Path) -> None:
    program = run("--workers=2")
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


def test_who_waits_in_a_queue_is_answered(run: Run) -> None:
    """Of two addresses, one inherited: while the worker is stopped clients
    connect, then the service is told to stop."""
    with socket.socket() as given:
        given.bind(("127.0.0.1", 0))
        fd = given.fileno()
        program = run(
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


# Other signals ---------------------------------------------------------------


def until_there_are(program: Program, workers: int) -> None:
    until(
        lambda: len(children(program.pid)) == workers,
        "not %d workers" % workers,
    )


def test_ttin_and_ttou(run: Run) -> None:
    program = run()
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
def test_signals_that_must_not_end_it(run: Run, to_all: bool) -> None:
    program = run("--workers=2")
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
    run: Run, tmp_path: Path, arguments: tuple[str, ...], number: int
) -> None:
    """As systemd does it, and Ctrl-C: every process gets the signal."""
    program = run(*arguments)
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


def test_quit_does_not_wait(run: Run, tmp_path: Path) -> None:
    program = run("--threads=1", "--grace=60")
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
open("importing", "w").close()
while os.path.exists("importing"):
    time.sleep(0.01)
from an_app import application
"""


@pytest.mark.parametrize("arguments", [(), ("--workers=2",), ("--preload",)])
def test_signals_while_the_application_is_imported(
    run: Run, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    (tmp_path / "slow.py").write_text(SLOW)
    program = run(*arguments, app="slow")
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


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("arguments", [(), ("--preload",)])
def test_a_stop_while_the_application_is_imported(
    run: Run, tmp_path: Path, arguments: tuple[str, ...], number: int
) -> None:
    (tmp_path / "slow.py").write_text(SLOW)
    program = run("--grace=60", "--pid=pid", *arguments, app="slow")
    until((tmp_path / "importing").exists, "no import")
    assert program.stop(number) == 0, program.text
    assert not (tmp_path / "pid").exists()
    assert "Traceback" not in program.text


def test_a_second_service_takes_over(run: Run) -> None:
    """Two share a port while the first one stops: nobody is refused."""
    first = run("--reuse-port", "--workers=2")
    port = first.port()
    second = run("--reuse-port", "--port=%d" % port)
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
    run: Run, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    """asyncio sets it to its own, and then to none."""
    (tmp_path / "aio.py").write_text(ASYNCIO)
    # No deadline must end its sleep, either.
    kinds = ("head", "body", "idle", "write")
    off = ["--%s-timeout=0" % kind for kind in kinds]
    program = run("--grace=20", *off, *arguments, app="aio")
    port = program.port()
    if not arguments:
        assert get(port).endswith(b" one")
    (worker,) = children(program.pid)
    started = time.monotonic()
    assert program.stop() == 0, program.text
    # Not killed after the grace, but ended by itself.
    assert time.monotonic() - started < 15
    assert worker


# Workers ---------------------------------------------------------------------


def test_max_requests(run: Run) -> None:
    program = run("--max-requests=5", "--max-requests-jitter=2")
    port = program.port()
    first = worker_of(port)
    until(lambda: worker_of(port) != first, "it was not replaced")
    second = worker_of(port)
    until(lambda: worker_of(port) != second, "it was not replaced")
    assert program.stop() == 0, program.text


def test_workers_auto(run: Run) -> None:
    program = run("--workers=auto")
    program.port()
    assert len(children(program.pid)) == cpus()
    assert program.stop() == 0, program.text


@pytest.mark.parametrize(
    ("membership", "files"),
    [
        ("0::/a.slice/b.service", {"a.slice/cpu.max": "50000 100000"}),
        ("0::/", {"cpu.max": "100000 100000"}),
        (
            "3:cpu,cpuacct:/docker/x\n2:memory:/docker/y",
            {
                "cpu,cpuacct/docker/x/cpu.cfs_quota_us": "90000",
                "cpu,cpuacct/docker/x/cpu.cfs_period_us": "100000",
            },
        ),
    ],
)
def test_quotas_of_control_groups(
    tmp_path: Path, membership: str, files: dict[str, str]
) -> None:
    (tmp_path / "membership").write_text(membership + "\n")
    for name, text in files.items():
        path = tmp_path / "root" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    here = str(tmp_path / "membership"), str(tmp_path / "root")
    assert cpus(*here) == 1
    for name in files:
        (tmp_path / "root" / name).write_text("max 100000")
    assert cpus(*here) == cpus("/nowhere") >= 1


def test_preload_imports_once(run: Run, tmp_path: Path) -> None:
    (tmp_path / "counted.py").write_text(
        "import os\n"
        "from an_app import application\n"
        "with open('imports', 'a') as file:\n"
        "    file.write('%d\\n' % os.getpid())\n"
    )
    program = run("--workers=2", "--preload", app="counted")
    program.port()
    pids = (tmp_path / "imports").read_text().split()
    assert pids == [str(program.pid)]
    assert program.stop() == 0
    (tmp_path / "imports").unlink()
    program = run("--workers=2", app="counted")
    program.port()
    pids = (tmp_path / "imports").read_text().split()
    assert len(set(pids)) == 2
    assert str(program.pid) not in pids
    assert program.stop() == 0


FACTORY = """
from an_app import application

def create_app(name="default"):
    def app(environ, start_response):
        environ["PATH_INFO"] = "/"
        return application(environ, start_response)
    assert name in ("default", "other")
    return app

def needs(name):
    raise RuntimeError("it was called")

async def asgi(scope, receive, send):
    pass
"""


@pytest.mark.parametrize(
    ("app", "arguments"),
    [
        ("fac:create_app()", ()),
        ("fac:create_app", ("--factory",)),
        ("fac:create_app('other')", ()),
        ("fac:create_app(name='other')", ("--workers=2",)),
    ],
)
def test_factory(
    run: Run, tmp_path: Path, app: str, arguments: tuple[str, ...]
) -> None:
    (tmp_path / "fac.py").write_text(FACTORY)
    program = run(*arguments, app=app)
    assert get(program.port()).endswith(b" one")
    assert program.stop() == 0


@pytest.mark.parametrize(
    ("app", "code", "words"),
    [
        ("fac:create_app", 2, "--factory"),
        ("fac:asgi", 2, "ASGI"),
        ("fac:create_app(name", 2, "no attribute"),
        ("fac:create_app(x)", 2, "literal"),
        ("fac:needs('x')", 1, "it was called"),
        ("exits", 1, "SystemExit"),
        ("dies", 1, "while it started"),
    ],
)
@pytest.mark.parametrize("arguments", [(), ("--workers=2",)])
def test_what_cannot_start_is_told_in_a_sentence(
    run: Run,
    tmp_path: Path,
    app: str,
    code: int,
    words: str,
    arguments: tuple[str, ...],
) -> None:
    (tmp_path / "fac.py").write_text(FACTORY)
    (tmp_path / "exits.py").write_text("raise SystemExit('no database')\n")
    (tmp_path / "dies.py").write_text("import os; os._exit(7)\n")
    program = run(*arguments, app=app)
    assert program.wait() == code, program.text
    assert program.lines[-1].startswith("wsgibench: ")
    assert program.lines[-1].endswith((".", "()."))
    assert words in program.lines[-1]


def test_many_crashes_are_no_overflow() -> None:
    """1,024 quick deaths in a row were one too many."""
    from wsgibench.native.workers import MAX_PAUSE, Supervisor

    supervisor = Supervisor(lambda *_: None, workers=1, grace=1.0)
    for _ in range(3000):
        supervisor._pause()
    assert supervisor._not_before - time.monotonic() <= MAX_PAUSE


# A log that cannot be written ------------------------------------------------


def test_stderr_is_closed_by_its_reader(binding: str, tmp_path: Path) -> None:
    (tmp_path / "an_app.py").write_text(APP)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        fd = listener.fileno()
        process = subprocess.Popen(
            serve_command("an_app", "--workers=2", "--bind=fd://%d" % fd),
            cwd=tmp_path,
            env=dict(os.environ, WSGIBENCH_BACKEND=binding),
            stderr=subprocess.PIPE,
            pass_fds=(fd,),
            start_new_session=True,
        )
        try:
            assert process.stderr is not None
            assert b"serving on" in process.stderr.readline()
            process.stderr.close()
            outlives_its_workers(process.pid, listener.getsockname()[1])
            process.terminate()
            assert process.wait(20) == 0
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def until_another_came(pid: int, before: set[int]) -> None:
    until(
        lambda: len(children(pid)) == 2 and children(pid) != before,
        "it was not replaced",
    )


def outlives_its_workers(pid: int, port: int) -> None:
    for _ in range(3):
        before = children(pid)
        os.kill(worker_of(port), signal.SIGKILL)
        until_another_came(pid, before)
        get(port, "/raise")  # the worker has something to say, too
    assert get(port).endswith(b" one")


@pytest.mark.parametrize("full", ["pipe", "/dev/full"])
def test_stderr_is_full(binding: str, tmp_path: Path, full: str) -> None:
    """A disk that is, and a pipe that nobody reads."""
    (tmp_path / "an_app.py").write_text(APP)
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        if full == "pipe":
            reader, writer = os.pipe()
            stack.callback(os.close, reader)
            os.set_blocking(writer, False)
            with contextlib.suppress(BlockingIOError):
                while os.write(writer, b"x" * 4096):
                    pass
            os.set_blocking(writer, True)
        else:
            writer = os.open(full, os.O_WRONLY)
        stack.callback(os.close, writer)
        fd = listener.fileno()
        process = subprocess.Popen(
            serve_command("an_app", "--workers=2", "--bind=fd://%d" % fd),
            cwd=tmp_path,
            env=dict(os.environ, WSGIBENCH_BACKEND=binding),
            stderr=writer,
            pass_fds=(fd,),
            start_new_session=True,
        )
        stack.callback(process.wait)
        stack.callback(process.kill)
        outlives_its_workers(process.pid, listener.getsockname()[1])
        process.terminate()
        assert process.wait(20) == 0


@pytest.mark.parametrize("closing", ["0<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_closed_standard_stream(
    binding: str, tmp_path: Path, closing: str
) -> None:
    """Its descriptor is nobody else's, then."""
    (tmp_path / "an_app.py").write_text(APP)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        fd = listener.fileno()
        command = " ".join(
            serve_command("an_app", "--bind=fd://%d" % fd, "--access-log=-")
        )
        process = subprocess.Popen(
            ["/bin/sh", "-c", "exec %s %s" % (command, closing)],
            cwd=tmp_path,
            env=dict(os.environ, WSGIBENCH_BACKEND=binding),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=(fd,),
            start_new_session=True,
        )
        try:
            port = listener.getsockname()[1]
            for _ in range(3):
                assert get(port).endswith(b" one")
                assert b"500" in get(port, "/raise")
            process.terminate()
            out, errors = process.communicate(timeout=20)
            assert process.returncode == 0, errors
            assert b"AttributeError" not in errors
            assert (b"GET / HTTP" in out) == (" >&-" not in " " + closing)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
