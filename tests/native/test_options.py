"""What `serve` is told: addresses, files, who it is, where that stands."""

from __future__ import annotations

import contextlib
import grp
import http.client
import os
import pwd
import re
import shutil
import signal
import socket
import ssl
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable

import pytest

from tests.native.process import (
    Program,
    children,
    get,
    open_folder,
    programs,
    refused,
    serve_command,
    until,
)
from tests.native.test_life import APP, ask, change, worker_of
from wsgibench import serve
from wsgibench.errors import UsageError, WsgibenchError
from wsgibench.native import identity
from wsgibench.native.config import gather
from wsgibench.native.loading import load_app

Run = Callable[..., Program]


@pytest.fixture
def run(binding: str, tmp_path: Path) -> Iterator[Run]:
    """run(*arguments): `serve an_app` without a port of its own."""
    (tmp_path / "an_app.py").write_text(APP)
    with programs() as start:

        def serve(
            *arguments: str,
            environment: dict[str, str] | None = None,
            **more: object,
        ) -> Program:
            return start(
                serve_command(*arguments),
                {"WSGIBENCH_BACKEND": binding, **(environment or {})},
                tmp_path,
                **more,
            )

        yield serve


def ask_unix(address: str) -> bytes:
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(30)
        sock.connect(address)
        sock.sendall(b"GET / HTTP/1.0\r\n\r\n")
        return sock.makefile("rb").read()


# Addresses -------------------------------------------------------------------


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
        program = start_code(run, code, ",".join(map(str, fds)), fds)
        program.line("instead of 127.0.0.1:1")
        for listener in listeners * 3:
            assert get(listener.getsockname()[1]).endswith(b" one")
        assert program.stop() == 0, program.text


def start_code(run: Run, code: str, argument: str, fds: list[int]) -> Program:
    """As `run`, by a program that execs it."""
    with contextlib.ExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        patch.setattr(
            sys.modules[__name__],
            "serve_command",
            lambda *_: [sys.executable, "-c", code, argument],
        )
        return run(pass_fds=tuple(fds))


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


# Who it is -------------------------------------------------------------------


def ids_of(port: int) -> tuple[int, int, int, str]:
    uid, gid, mask, directory = get(port, "/ids").decode().split(" ")
    return int(uid), int(gid), int(mask, 8), directory


WHO = pwd.getpwnam("nobody").pw_uid, grp.getgrnam("games").gr_gid


@pytest.mark.skipif(os.geteuid() != 0, reason="root alone may change users")
def test_user_group_and_umask(run: Run) -> None:
    with open_folder() as folder:
        (folder / "an_app.py").write_text(APP)
        (folder / "logs").mkdir()
        program = run(
            "an_app", "--port=0", "--user=nobody", "--group=games",
            "--umask=027", "--access-log=%s" % (folder / "logs" / "access"),
            "--workers=2", "--chdir=%s" % folder,
            "--bind=127.0.0.1:0", "--bind=unix:%s" % (folder / "socket"),
        )  # fmt: skip
        as_another(program, folder / "logs")
        found = (folder / "socket").stat()
        assert (found.st_uid, found.st_gid) == WHO


def as_another(program: Program, log: Path) -> None:
    port = program.port()
    assert ids_of(port)[:3] == (*WHO, 0o027)
    # Its workers can open the log again, although the folder is root's, and
    # die with their supervisor, although they are another's.
    (log / "access").rename(log / "access.1")
    program.process.send_signal(signal.SIGUSR1)
    until((log / "access").exists, "it was not opened again")
    get(port, "/after")
    os.kill(program.pid, signal.SIGKILL)
    program.wait()
    until(lambda: refused(port), "the workers live on")


@pytest.mark.skipif(os.geteuid() != 0, reason="root alone may change users")
def test_a_user_without_an_entry_and_the_error_log(run: Run) -> None:
    """Numbers will do, as containers have them. Workers write to the new log
    after a rotation, although its folder is root's."""
    with open_folder() as folder:
        (folder / "an_app.py").write_text(APP)
        (folder / "serve.toml").write_text("user = 77777\ngroup = 88\n")
        log = folder / "errors"
        program = run(
            *("an_app", "--port=0", "--chdir=%s" % folder),
            *("--config=%s" % (folder / "serve.toml"), "--error-log=errors"),
        )
        until(lambda: log.exists() and "serving on" in log.read_text(), "log")
        line = log.read_text().partition("serving on ")[2]
        port = int(line.split()[0].rpartition(":")[2])
        assert ids_of(port)[:2] == (77777, 88)
        log.rename(folder / "errors.1")
        program.process.send_signal(signal.SIGUSR1)
        until(log.exists, "it was not opened again")

        def is_told() -> bool:
            get(port, "/raise")
            return "/raise failed" in log.read_text()

        until(is_told, "the worker writes to the old one")
        assert program.stop() == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="root alone may change users")
def test_a_folder_that_workers_cannot_write_is_told(run: Run) -> None:
    with open_folder() as folder:
        folder.chmod(0o700)
        program = run("an_app", "--user=nobody", "--temp-dir=%s" % folder)
        assert program.wait() == 1
        assert "temp_dir %s: Permission denied" % folder in program.lines[-1]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--user=nobody-of-that-name",), "nobody-of-that-name"),
        (("--group=nobody-of-that-name",), "nobody-of-that-name"),
        (("--group=99999999999",), "99999999999"),
        (("--user=4294967295",), "4294967295"),
        (("--umask=9",), "octal"),
        (("--uds-mode=rw",), "octal"),
        (("--workers=many",), "workers"),
        (("--max-requests=-1",), "max_requests"),
        (("--drain-delay=-1",), "drain_delay"),
        (("--health-path=health",), "health_path"),
        (("--preload", "--reload"), "preload"),
        (("--log-config=/nowhere",), "/nowhere"),
        (("--chdir=/nowhere",), "/nowhere"),
        (("--temp-dir=/nowhere",), "/nowhere"),
        (("--config=/nowhere",), "/nowhere"),
    ],
)
def test_what_is_wrong_is_told_in_a_sentence(
    run: Run, arguments: tuple[str, ...], words: str
) -> None:
    program = run("an_app", "--port=0", *arguments)
    assert program.wait() in (1, 2)
    assert program.lines[-1].startswith("wsgibench: ")
    assert program.lines[-1].endswith(".")
    assert words in program.lines[-1]
    assert "Traceback" not in program.text


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"bind": "127.0.0.1:99999"}, "a port is 0 to 65535, not 99999"),
        ({"port": -1}, "a port is 0 to 65535, not -1"),
        ({"bind": "unix:"}, "names no socket"),
        ({"bind": "unix:@"}, "names no socket"),
        ({"bind": "unix:/" + "x" * 200}, "too long"),
        ({"bind": "fd://x"}, "fd://3"),
        ({"bind": "nobody.invalid:0"}, "nobody.invalid:0: "),
        ({"metrics": "99999"}, "a port is"),
        ({"statsd_host": "127.0.0.1:99999"}, "statsd_host is HOST:PORT"),
        ({"statsd_host": "nobody.invalid:1"}, "nobody.invalid:1: "),
        ({"log_level": "loud"}, "log_level is one of debug"),
        ({"grace": float("nan")}, "grace is a number of seconds"),
        ({"stream_body": 2}, "stream_body is 0 to 1"),
        ({"max_fields": 1 << 32}, "max_fields is 0 to 4294967295"),
        ({"accept_batch": -1}, "accept_batch"),
    ],
)
def test_what_is_wrong_is_told_before_a_worker_starts(
    given: dict[str, Any], words: str
) -> None:
    with pytest.raises(WsgibenchError, match=words):
        serve("an_app", **{"port": 0, **given})


def test_one_address_twice_is_told() -> None:
    """Both can be bound (SO_REUSEADDR), but only one listens."""
    with socket.socket() as spare:
        spare.bind(("127.0.0.1", 0))
        port = spare.getsockname()[1]
    with pytest.raises(WsgibenchError, match="%d: Address already" % port):
        serve("an_app", bind=["127.0.0.1:%d" % port] * 2)


def test_one_unix_socket_twice_is_told(tmp_path: Path) -> None:
    again = tmp_path / ".." / tmp_path.name / "a"
    binds = ["unix:%s/a" % tmp_path, "unix:%s" % again]
    with pytest.raises(UsageError, match="/a is there twice"):
        serve("an_app", bind=binds)


def test_a_bad_address_leaves_no_file_of_a_good_one(tmp_path: Path) -> None:
    with pytest.raises(WsgibenchError, match="a port is"):
        serve("an_app", bind=["unix:%s/a" % tmp_path, "127.0.0.1:99999"])
    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize("name", ["./an_app.py", "an_app.py:app"])
def test_a_file_is_no_module(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "an_app.py").write_text(APP)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=r"like an_app:app"):
        load_app(name)


def test_a_full_disk_for_bodies_is_told(run: Run) -> None:
    try:
        mounted = subprocess.run(
            ["unshare", "-m", "true"], capture_output=True
        )
    except FileNotFoundError:
        pytest.skip("no unshare")
    if mounted.returncode:
        pytest.skip("no mount namespaces here")
    with pytest.MonkeyPatch.context() as patch:
        command = " ".join(serve_command("an_app", "--port=0"))
        patch.setattr(
            sys.modules[__name__],
            "serve_command",
            lambda *_: [
                "unshare", "-m", "sh", "-c",
                "mount -t tmpfs -o size=4k x /mnt && "
                "head -c 4096 /dev/zero > /mnt/full; "
                "exec %s --temp-dir=/mnt" % command,
            ],
        )  # fmt: skip
        program = run()
    assert program.wait() == 1
    assert "/mnt" in program.lines[-1]


def test_a_disk_that_becomes_full_is_told(
    binding: str, tmp_path: Path
) -> None:
    """Here: files may have 64 blocks. Smaller bodies go on."""
    (tmp_path / "an_app.py").write_text(APP)
    errors = tmp_path / "errors"
    command = serve_command(
        "an_app", "--port=0", "--body-memory=1000", "--error-log=errors"
    )
    with programs() as start:
        program = start(
            ["sh", "-c", "ulimit -f 64; exec " + " ".join(command)],
            {"WSGIBENCH_BACKEND": binding},
            tmp_path,
        )
        until(lambda: errors.exists() and ":" in errors.read_text(), "no line")
        port = int(errors.read_text().split(" (")[0].rpartition(":")[2])
        for size, status in ((5000, 200), (500_000, 500), (5000, 200)):
            connection = http.client.HTTPConnection("127.0.0.1", port)
            with contextlib.suppress(OSError):  # the answer came first
                connection.request("POST", "/", bytes(size))
            assert connection.getresponse().status == status
            connection.close()
        assert program.stop() == 0
        assert "its body cannot be kept in" in errors.read_text()
        assert program.text == ""


def test_chdir(run: Run, tmp_path: Path) -> None:
    """Of the process, with all that is relative to it."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    (folder / "other_app.py").write_text(APP)
    program = run(
        "other_app", "--chdir=elsewhere", "--port=0", "--pid=pid",
        "--access-log=access",
    )  # fmt: skip
    assert ids_of(program.port())[3] == str(folder)
    assert (folder / "pid").read_text() == "%d\n" % program.pid
    assert program.stop() == 0
    assert "/ids" in (folder / "access").read_text()


def test_pid_file(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "pid"
    path.write_text("999999999\n")  # of nobody
    program = run("an_app", "--port=0", "--pid=%s" % path)
    port = program.port()
    assert path.read_text() == "%d\n" % program.pid
    second = run("an_app", "--port=0", "--pid=%s" % path)
    assert second.wait() == 1
    assert str(program.pid) in second.lines[-1]
    assert get(port).endswith(b" one")
    assert program.stop() == 0
    assert not path.exists()


def test_a_pid_file_that_is_a_pipe_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "pid"
    os.mkfifo(path)
    with pytest.raises(WsgibenchError, match="no regular file"):
        with identity.pid_file(str(path)):
            pass
    assert stat.S_ISFIFO(path.stat().st_mode)


# The end ---------------------------------------------------------------------


def status_of(port: int, path: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request("GET", path)
    status = connection.getresponse().status
    connection.close()
    return status


@pytest.mark.parametrize(
    "arguments", [(), ("--workers=2",), ("--threads=2", "--workers=2")]
)
@pytest.mark.parametrize("to_all", [False, True])
def test_drain_delay(
    run: Run, arguments: tuple[str, ...], to_all: bool
) -> None:
    """It goes on serving, while its health path tells that it will not."""
    program = run(
        "an_app", "--port=0", "--drain-delay=2", "--health-path=/health",
        *arguments,
    )  # fmt: skip
    port = program.port()
    assert status_of(port, "/health") == 200
    started = time.monotonic()
    if to_all:
        os.killpg(program.pid, signal.SIGTERM)
    else:
        program.process.send_signal(signal.SIGTERM)
    until(lambda: status_of(port, "/health") == 503, "it is healthy")
    assert status_of(port, "/") == 200
    assert program.wait() == 0, program.text
    assert time.monotonic() - started >= 1.9
    assert refused(port)


def test_drain_delay_of_a_server_alone(binding: str, tmp_path: Path) -> None:
    (tmp_path / "an_app.py").write_text(APP)
    code = (
        "import an_app, wsgibench\n"
        "wsgibench.serve(an_app.application, port=0, announce=True,\n"
        "    drain_delay=2, health_path='/health')\n"
    )
    with programs() as start:
        program = start(
            [sys.executable, "-c", code],
            {"WSGIBENCH_BACKEND": binding},
            tmp_path,
        )
        port = program.port()
        program.process.send_signal(signal.SIGTERM)
        until(lambda: status_of(port, "/health") == 503, "it is healthy")
        assert status_of(port, "/") == 200
        assert program.wait() == 0
        assert refused(port)


def test_a_reload_is_no_end_for_the_health_path(run: Run) -> None:
    program = run(
        "an_app", "--port=0", "--drain-delay=60", "--health-path=/health"
    )
    port = program.port()
    first = worker_of(port)
    program.process.send_signal(signal.SIGHUP)

    def replaced() -> bool:
        assert status_of(port, "/health") == 200
        return worker_of(port) != first and first not in children(program.pid)

    until(replaced, "it was not replaced")
    # A worker that is told alone is one to be replaced, too.
    second = worker_of(port)
    os.kill(second, signal.SIGTERM)
    until(lambda: second not in children(program.pid), "it was not replaced")
    assert worker_of(port) != second
    program.process.send_signal(signal.SIGTERM)
    program.line("stopping")
    assert program.stop() == 0  # the second ends at once


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


def make_certificate(folder: Path) -> None:
    """cert.pem and key.pem, new ones."""
    command = (
        "openssl req -x509 -newkey ec -nodes -days 2 -subj /CN=localhost "
        "-pkeyopt ec_paramgen_curve:prime256v1 -keyout key.pem -out cert.pem"
    )
    subprocess.run(
        command.split(), cwd=folder, check=True, capture_output=True
    )


@pytest.mark.parametrize("alone", [False, True])
def test_hup_reads_certificates_again(
    binding: str, tmp_path: Path, alone: bool
) -> None:
    """A server alone cannot load its code again, but its certificate."""
    if shutil.which("openssl") is None:
        pytest.skip("the openssl command makes the certificates")
    (tmp_path / "an_app.py").write_text(APP)
    make_certificate(tmp_path)
    code = (
        "import an_app, wsgibench\n"
        "wsgibench.serve(%s, port=0, announce=True, certfile='cert.pem',\n"
        "    keyfile='key.pem')\n"
        % ("an_app.application" if alone else "'an_app'")
    )
    with programs() as start:
        program = start(
            [sys.executable, "-c", code],
            {"WSGIBENCH_BACKEND": binding},
            tmp_path,
        )
        line = program.line("serving on https://")
        address = "127.0.0.1", int(line.split(" (")[0].rpartition(":")[2])
        first = ssl.get_server_certificate(address)
        assert first == (tmp_path / "cert.pem").read_text()
        make_certificate(tmp_path)
        program.process.send_signal(signal.SIGHUP)
        second = (tmp_path / "cert.pem").read_text()
        until(
            lambda: ssl.get_server_certificate(address) == second,
            "the old certificate is served",
        )
        (tmp_path / "cert.pem").write_text("nonsense")
        program.process.send_signal(signal.SIGHUP)
        program.line("old certificates stay" if alone else "old workers go on")
        assert ssl.get_server_certificate(address) == second
        assert program.stop() == 0, program.text


# Configuration ---------------------------------------------------------------


def test_file_variables_and_command_line(run: Run, tmp_path: Path) -> None:
    """In that order, the last wins."""
    (tmp_path / "wsgibench.toml").write_text(
        'app = "an_app"\nport = 0\nworkers = 2\nthreads = 3\n'
        'server-header = "file"\nidle_timeout = 5\nbind = ["127.0.0.1:0"]\n'
    )
    environment = {"WSGIBENCH_THREADS": "2", "WSGIBENCH_SERVER_HEADER": "var"}
    program = run(
        "--print-config", "--server-header=line", environment=environment
    )
    assert program.wait() == 0, program.text
    assert program.process.stdout is not None
    lines = program.process.stdout.read().splitlines()
    for line in (
        "workers = 2  # wsgibench.toml",
        "threads = 2  # WSGIBENCH_THREADS",
        'server_header = "line"  # command line',
        "idle_timeout = 5.0  # wsgibench.toml",
        "grace = 30.0  # default",
        'bind = ["127.0.0.1:0"]  # wsgibench.toml',
    ):
        assert line in lines
    # What it prints is such a file itself.
    (tmp_path / "wsgibench.toml").write_text("\n".join(lines))
    program = run()
    port = program.port()
    assert len(children(program.pid)) == 2
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request("GET", "/")
    assert connection.getresponse().getheader("Server") == "line"
    connection.close()
    assert program.stop() == 0


def test_the_table_of_a_project(run: Run, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(
        '[tool.wsgibench.serve]\napp = "an_app"\nport = 0\nfactory = false\n'
    )
    program = run()
    assert get(program.port()).endswith(b" one")
    assert program.stop() == 0


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[tool.wsgibench]\nserve = 3", "serve is no table"),
        ("[tool.wsgibench.srve]\nworkers = 2", "did you mean serve?"),
        ("[tool.wsgibench.serve.tls]\na = 1", "there is no option 'tls'"),
        ("tool = 'wsgibench'", "tool is no table"),
    ],
)
def test_a_slip_in_the_tables_of_a_project_is_told(
    tmp_path: Path, text: str, words: str
) -> None:
    (tmp_path / "pyproject.toml").write_text(text)
    with pytest.raises(UsageError, match=re.escape(words)):
        gather({"config": str(tmp_path / "pyproject.toml")}, {})


@pytest.mark.parametrize(
    ("text", "environment", "words"),
    [
        ("worker = 2", {}, "did you mean workers?"),
        ("workers = [2]", {}, "workers is a number or auto"),
        ("max-head = 9\nmax_head = 8", {}, "max_head is there twice"),
        ("grace = 'long'", {}, "grace"),
        ("reload = 1", {}, "reload"),
        ("workers = ", {}, "not TOML"),
        ("[serve]\nworkers = 2", {}, "there is no option 'serve'"),
        ("user = [0]", {}, "user is a text"),
        ("", {"WSGIBENCH_WORKER": "2"}, "did you mean WSGIBENCH_WORKERS?"),
        ("", {"WSGIBENCH_THREADS": "two"}, "WSGIBENCH_THREADS"),
        ("", {"WSGIBENCH_RELOAD": "perhaps"}, "WSGIBENCH_RELOAD"),
        ("", {"WSGIBENCH_CONFIG": "/nowhere.toml"}, "/nowhere.toml"),
    ],
)
def test_a_slip_in_the_configuration_is_told(
    run: Run,
    tmp_path: Path,
    text: str,
    environment: dict[str, str],
    words: str,
) -> None:
    (tmp_path / "wsgibench.toml").write_text(text)
    program = run("an_app", "--port=0", environment=environment)
    assert program.wait() == 2
    assert words in program.lines[-1]
    assert "Traceback" not in program.text


def test_every_option_has_a_name_of_its_own() -> None:
    from wsgibench.native.config import KINDS
    from wsgibench.native.options import NAMES
    from wsgibench.native.settings import BY_NAME

    assert not set(NAMES) & set(BY_NAME)
    assert set(KINDS) == {"app", *NAMES, *BY_NAME}


# The error log ---------------------------------------------------------------


def test_error_log_and_level(run: Run, tmp_path: Path) -> None:
    log = tmp_path / "errors"
    program = run(
        "an_app", "--port=0", "--error-log=%s" % log, "--log-level=info"
    )
    until(lambda: log.exists() and "serving on" in log.read_text(), "no line")
    port = int(log.read_text().split(" (")[0].rpartition(":")[2])
    assert status_of(port, "/raise") == 500
    until(lambda: "from the application" in log.read_text(), "no error")
    log.rename(tmp_path / "errors.1")
    program.process.send_signal(signal.SIGUSR1)
    until(log.exists, "it was not opened again")

    def is_told() -> bool:  # by the worker, once it has opened it, too
        assert status_of(port, "/raise") == 500
        return "from the application" in log.read_text()

    until(is_told, "no error")
    assert program.stop() == 0
    assert program.text == ""
    quiet = run("an_app", "--port=0", "--bind=unix:s", "--log-level=error")

    def listens() -> bool:
        with contextlib.suppress(OSError):
            return ask_unix(str(tmp_path / "s")).endswith(b" one")
        return False

    until(listens, "it does not listen")
    assert quiet.stop() == 0
    assert quiet.text == ""


def test_output_is_captured(run: Run, tmp_path: Path) -> None:
    """Of Python and of descriptors; after a rotation, too."""
    (tmp_path / "prints.py").write_text(
        "import os\n"
        "def application(environ, start_response):\n"
        "    print('printed', environ['PATH_INFO'])\n"
        "    os.write(2, b'written\\n')\n"
        "    start_response('200 OK', [('Content-Length', '0')])\n"
        "    return []\n"
    )
    log = tmp_path / "errors"
    program = run(
        *("prints", "--port=0", "--error-log=%s" % log, "--capture-output")
    )
    until(lambda: log.exists() and "serving on" in log.read_text(), "no line")
    port = int(log.read_text().split(" (")[0].rpartition(":")[2])
    assert status_of(port, "/a") == 200
    assert "printed /a\nwritten\n" in log.read_text()
    log.rename(tmp_path / "errors.1")
    program.process.send_signal(signal.SIGUSR1)

    def is_told() -> bool:  # by the worker, once it has opened it, too
        assert status_of(port, "/b") == 200
        return log.exists() and "printed /b\nwritten\n" in log.read_text()

    until(is_told, "the old file is written")
    assert program.stop() == 0
    assert program.text == ""


REFUSING = """
def application(environ, start_response):
    fields = [("Content-Type", "text/plain")]
    status = "200 OK"
    if environ["PATH_INFO"] == "/value":
        fields.append(("X-Bad", "a\\nb"))
    elif environ["PATH_INFO"] == "/name":
        fields.append(("X Bad", "a"))
    elif environ["PATH_INFO"] == "/hop":
        fields.append(("Transfer-Encoding", "chunked"))
    elif environ["PATH_INFO"] == "/twice":
        fields += [("Content-Length", "1"), ("Content-Length", "1")]
    else:
        status = "2000 OK"
    start_response(status, fields)
    return [b"a", b"b"] if environ["QUERY_STRING"] else [b"a"]
"""


def test_what_an_application_does_wrong_is_named(
    run: Run, tmp_path: Path
) -> None:
    """The request, the exception, the header that cannot be sent."""
    (tmp_path / "refusing.py").write_text(REFUSING)
    program = run("refusing", "--port=0")
    port = program.port()
    for path, words in (
        ("/value", "header 'X-Bad' cannot"),
        ("/name", "header 'X Bad' cannot"),
        ("/hop", "header 'Transfer-Encoding' cannot"),
        ("/twice", "cannot be sent together"),
        ("/status", "status '2000 OK' cannot"),
    ):
        for query in ("", "?two"):
            seen = len(program.lines)
            assert status_of(port, path + query) == 500
            line = program.line("GET %s failed: ValueError" % (path + query))
            assert "[ERROR]" in line
            program.line(words, after=seen)
    assert program.stop() == 0


@pytest.mark.parametrize("kind", ["ini", "json"])
def test_log_config(run: Run, tmp_path: Path, kind: str) -> None:
    if kind == "json":
        text = (
            '{"version": 1, "formatters": {"f": {"format": "OURS %(message)s"'
            '}}, "handlers": {"h": {"class": "logging.StreamHandler", '
            '"formatter": "f"}}, "loggers": {"wsgibench": {"handlers": ["h"],'
            ' "level": "INFO"}}}'
        )
    else:
        text = (
            "[loggers]\nkeys=root\n[handlers]\nkeys=h\n[formatters]\nkeys=f\n"
            "[logger_root]\nhandlers=h\nlevel=INFO\n"
            "[handler_h]\nclass=StreamHandler\nformatter=f\nargs=()\n"
            "[formatter_f]\nformat=OURS %(message)s\n"
        )
    path = tmp_path / ("log." + kind)
    path.write_text(text)
    program = run("an_app", "--port=0", "--log-config=%s" % path)
    assert program.line("serving on").startswith("OURS ")
    assert program.stop() == 0


# Development -----------------------------------------------------------------


def test_reload_after_an_error_in_what_is_imported(
    run: Run, tmp_path: Path
) -> None:
    """At the start, and later; by an edit, and by a file that was missing."""
    (tmp_path / "views.py").write_text("1 / 0\n")
    (tmp_path / "main.py").write_text(
        "import views\nfrom an_app import application\n"
    )
    program = run("main", "--port=0", "--reload")
    program.line("Waiting for a change")
    change(tmp_path / "views.py", "1 / 0", "import models")
    program.line("No module named 'models'")
    (tmp_path / "models.py").write_text("\n")
    port = program.port()
    assert get(port).endswith(b" one")
    seen = len(program.lines)
    change(tmp_path / "models.py", "\n", "def\n")
    program.line("Waiting for a change", after=seen)
    change(tmp_path / "models.py", "def\n", "")
    assert get(port).endswith(b" one")
    assert program.stop() == 0, program.text


def test_reload_ends_with_its_parent(run: Run) -> None:
    program = run("an_app", "--port=0", "--reload")
    port = program.port()
    assert get(port).endswith(b" one")
    os.kill(program.pid, signal.SIGKILL)
    program.wait()
    until(lambda: refused(port), "the child lives on")


# Patched applications --------------------------------------------------------


PATCHED = {
    "gevent": "from gevent import monkey; monkey.patch_all()\n",
    "eventlet": "import eventlet; eventlet.monkey_patch()\n",
}


def write_patched(folder: Path, library: str) -> None:
    pytest.importorskip(library)
    (folder / "patched.py").write_text(
        PATCHED[library] + "import time\n"
        "from an_app import application as inner\n"
        "def application(environ, start_response):\n"
        "    time.sleep(0.01)\n"
        "    return inner(environ, start_response)\n"
    )


@pytest.mark.parametrize("library", sorted(PATCHED))
def test_threads_of_a_patched_library_are_refused(
    run: Run, tmp_path: Path, library: str
) -> None:
    """Their greenlets block each other, sooner or later."""
    write_patched(tmp_path, library)
    program = run("patched", "--port=0", "--threads=4")
    assert program.wait() == 2
    assert library in program.lines[-1]
    assert "threads=0" in program.lines[-1]


@pytest.mark.parametrize("library", sorted(PATCHED))
@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--hang-timeout=1",),
        ("--hang-timeout=1", "--workers=2"),
        ("--drain-delay=0.1",),
    ],
)
def test_an_application_that_patches_the_library(
    run: Run, tmp_path: Path, library: str, arguments: tuple[str, ...]
) -> None:
    write_patched(tmp_path, library)
    program = run("patched", "--port=0", *arguments)
    port = program.port()
    before = children(program.pid)
    answers: list[Any] = []

    def client() -> None:
        for _ in range(5):
            answers.append(get(port))

    threads = [threading.Thread(target=client) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 20, program.text
    assert all(answer.endswith(b" one") for answer in answers)
    if any("hang" in argument for argument in arguments):
        end = time.monotonic() + 2.5  # idle, longer than the hang timeout
        until(lambda: time.monotonic() > end, "never")
    assert children(program.pid) == before, program.text
    assert program.stop() == 0, program.text
    assert "stuck" not in program.text


def test_a_request_that_waits_is_found(run: Run, tmp_path: Path) -> None:
    """`ask` of test_life, under two addresses: one is stuck, the other not."""
    program = run(
        "an_app", "--bind=127.0.0.1:0", "--bind=127.0.0.1:0", "--threads=1"
    )
    until(lambda: program.text.count("serving on") == 2, "not two")
    ports = [
        int(line.split(" (")[0].rpartition(":")[2])
        for line in program.lines
        if "http://" in line
    ]
    flag = tmp_path / "flag"
    connection = ask(ports[0], flag)
    assert get(ports[1]).endswith(b" one")
    flag.unlink()
    assert connection.getresponse().status == 200
    assert program.stop() == 0
