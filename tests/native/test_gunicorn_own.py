"""Settings that are gunicorn's own affair work around our worker, too."""

from __future__ import annotations

import json
import os
import pwd
import signal
import socket
from pathlib import Path

import pytest

from tests.native.process import (
    PATIENCE,
    another_user,
    children,
    get,
    open_folder,
    until,
)
from tests.native.serving import Run

config = pytest.importorskip("gunicorn.config")

APP = """
import os

def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [repr((os.getpid(), os.getgroups())).encode()]

def make_app(global_conf, **local_conf):
    def pasted(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [("%s %s" % (global_conf["who"], local_conf["what"])).encode()]
    return pasted
"""

#: gunicorn's hooks around a worker, and their arguments.
HOOKS = {
    "on_starting": "server",
    "on_reload": "server",
    "when_ready": "server",
    "pre_fork": "server, worker",
    "post_fork": "server, worker",
    "post_worker_init": "worker",
    "worker_int": "worker",
    "worker_abort": "worker",
    "pre_exec": "server",
    "child_exit": "server, worker",
    "worker_exit": "server, worker",
    "nworkers_changed": "server, new, old",
    "on_exit": "server",
}
HOOK = """
def %s(%s):
    with open("hooks", "a") as file:
        file.write("%s\\n")
"""

PASTE = """
[app:main]
use = call:gapp:make_app
what = local
[server:main]
use = egg:gunicorn#main
"""

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"own": {"format": "OWN %(message)s"}},
    "handlers": {
        "file": {
            "class": "logging.FileHandler",
            "filename": "own.log",
            "formatter": "own",
        }
    },
    "root": {"level": "INFO", "handlers": ["file"]},
    "loggers": {
        name: {"level": "INFO", "handlers": ["file"], "propagate": False}
        for name in ("gunicorn.error", "gunicorn.access")
    },
}


@pytest.fixture
def run(gunicorn: Run, tmp_path: Path) -> Run:
    (tmp_path / "gapp.py").write_text(APP)
    return gunicorn


def lines_of(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


def port_in(lines: list[str]) -> int:
    line = next(each for each in lines if "Listening at: http://" in each)
    return int(line.split(" (")[0].rpartition(":")[2])


def test_pythonpath_and_logconfig_json(run: Run, tmp_path: Path) -> None:
    (tmp_path / "more").mkdir()
    (tmp_path / "gapp.py").rename(tmp_path / "more" / "elsewhere.py")
    (tmp_path / "logging.json").write_text(json.dumps(LOGGING))
    log = tmp_path / "own.log"
    program = run(
        *("--pythonpath=more", "--log-config-json=logging.json"),
        "elsewhere:app",
    )
    until(lambda: "Booting worker" in "\n".join(lines_of(log)), "no worker")
    get(port_in(lines_of(log)), "/page")
    asked = '"GET /page HTTP/1.1" 200'
    until(lambda: asked in lines_of(log)[-1], "no line of the request")
    assert all(line.startswith("OWN ") for line in lines_of(log))
    assert program.stop() == 0, program.text


def test_every_hook_of_the_server_is_called(run: Run, tmp_path: Path) -> None:
    """pre_exec, too: USR2 starts a gunicorn of the new binary. On PyPy that
    one takes over unix sockets only."""
    hooks = [HOOK % (name, HOOKS[name], name) for name in HOOKS]
    (tmp_path / "hooks.py").write_text("".join(hooks))
    program = run(
        *("--config=hooks.py", "--pid=pid", "gapp:app"), address="unix:socket"
    )

    def called(name: str, times: int = 1) -> bool:
        return lines_of(tmp_path / "hooks").count(name) >= times

    def ask_again(number: int, name: str, times: int) -> None:
        (worker,) = children(program.pid)
        os.kill(worker, number)
        until(lambda: called(name), "%s was not called" % name)
        until(lambda: called("post_worker_init", times), "no new worker")
        until(lambda: len(children(program.pid)) == 1, "the old one is there")

    until(lambda: called("post_worker_init"), "no worker")
    ask_again(signal.SIGQUIT, "worker_int", 2)
    ask_again(signal.SIGABRT, "worker_abort", 3)
    program.process.send_signal(signal.SIGHUP)
    until(lambda: called("post_worker_init", 4), "no reload")
    program.process.send_signal(signal.SIGUSR2)
    until((tmp_path / "pid.2").exists, "no new gunicorn")
    until(lambda: called("post_worker_init", 5), "its worker")
    new = int((tmp_path / "pid.2").read_text())
    # The new one has its standard error, so that program.wait() would wait.
    program.process.send_signal(signal.SIGTERM)
    assert program.process.wait(PATIENCE) == 0, program.text
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(PATIENCE)
        client.connect(str(tmp_path / "socket"))
        client.sendall(b"GET / HTTP/1.0\r\n\r\n")
        assert b" 200 OK" in client.recv(1000)
    os.kill(new, signal.SIGTERM)
    until(lambda: called("on_exit", 2), "the new one does not end")
    known = {
        setting.name
        for setting in config.KNOWN_SETTINGS
        if setting.section == "Server Hooks"
    }
    known -= {"pre_request", "post_request", "ssl_context"}
    assert set(lines_of(tmp_path / "hooks")) == set(HOOKS) == known


def test_daemon(run: Run, tmp_path: Path) -> None:
    log, pid = tmp_path / "log", tmp_path / "pid"
    program = run("--daemon", "--pid=pid", "--error-logfile=log", "gapp:app")
    assert program.wait() == 0, program.text
    until(lambda: "Booting worker" in "\n".join(lines_of(log)), "no worker")
    daemon = int(pid.read_text())
    try:
        assert os.getsid(daemon) != program.pid
        assert get(port_in(lines_of(log)))
    finally:
        os.kill(daemon, signal.SIGTERM)
    until(lambda: not pid.exists(), "the daemon does not end")
    assert "Traceback" not in log.read_text()


def test_spew(run: Run) -> None:
    """It writes each line of Python that is run."""
    program = run("--spew", "gapp:app")
    get(program.port())
    program.line("gapp:5: ")
    program.end()


def test_paste(run: Run, tmp_path: Path) -> None:
    pytest.importorskip("paste.deploy")
    (tmp_path / "paste.ini").write_text(PASTE)
    program = run("--paste=paste.ini", "--paste-global=who=me")
    assert get(program.port()) == b"me local"
    assert program.stop() == 0, program.text


@another_user
def test_initgroups(run: Run) -> None:
    user = pwd.getpwnam("nobody")
    groups = os.getgrouplist(user.pw_name, user.pw_gid)
    with open_folder() as folder:
        (folder / "gapp.py").write_text(APP)
        program = run(
            *("--user=nobody", "--group=%d" % user.pw_gid, "--initgroups"),
            "gapp:app",
            folder=folder,
        )
        answer = get(program.port()).decode()
        assert answer.endswith(", %r)" % sorted(groups))
        assert program.stop() == 0, program.text
