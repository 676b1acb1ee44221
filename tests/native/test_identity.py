"""Who the processes of `serve` are: user, group, folder, pid file."""

from __future__ import annotations

import grp
import os
import pwd
import signal
import stat
from pathlib import Path

import pytest

from tests.native.process import (
    Program,
    get,
    open_folder,
    refused,
    until,
)
from tests.native.serving import (
    APP,
    Run,
)
from wsgibench.errors import WsgibenchError
from wsgibench.native import identity


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
