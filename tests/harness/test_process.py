"""A server as a process: started, checked, heard out, stopped."""

from __future__ import annotations

import dataclasses
import os
import signal
import socket
from pathlib import Path

import pytest

from wsgibench.errors import WsgibenchError
from wsgibench.harness import (
    deaths,
    environments,
    interpreters,
    scenario,
    servers,
)
from wsgibench.harness.application import Application
from wsgibench.harness.process import TargetProcess, Under, open_socket
from wsgibench.harness.scenario import Scenario

HELLO = scenario.find("hello")


def target(
    log: Path,
    server: str = "wsgiref",
    asked: Scenario = HELLO,
    port: int = 0,
    patience: float = 1.0,
) -> TargetProcess:
    found = servers.find(server)
    environment = environments.get(
        interpreters.find("python3"), found.name, lambda text: None
    )
    return TargetProcess(
        environment,
        found,
        asked,
        log=log / "log",
        port=port,
        under=Under(patience=patience),
    )


@pytest.mark.parametrize("server", ["wsgiref", "raw-socket", "raw-threads"])
def test_it_answers_while_inside_and_is_gone_after(
    tmp_path: Path, server: str
) -> None:
    with target(tmp_path, server) as running:
        assert running.alive()
        address, pid = running.address, running.pid
        settings = running.ready["settings"]
        assert settings["backlog"] == 2048  # read back from the kernel
        assert running.ready["observed"]["keep_alive"] == (
            server == "raw-threads"
        )
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address, timeout=5)
    assert not os.path.exists("/proc/%d" % pid)


def test_an_application_that_raises_on_import(tmp_path: Path) -> None:
    broken = dataclasses.replace(HELLO, app="no_such_application")
    with (
        pytest.raises(
            WsgibenchError,
            match="^wsgiref did not start: .*no_such_application",
        ),
        target(tmp_path, asked=broken),
    ):
        pass


def test_a_wrong_answer_is_no_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_ready = TargetProcess._read_ready

    def then_hurry(self: TargetProcess) -> None:
        read_ready(self)
        monkeypatch.setattr("wsgibench.harness.process.START_TIMEOUT", 1.0)

    monkeypatch.setattr(TargetProcess, "_read_ready", then_hurry)
    other = dataclasses.replace(HELLO, body=b"something else")
    with (
        pytest.raises(WsgibenchError, match="never answered as exp.*: body"),
        target(tmp_path, asked=other),
    ):
        pass


@pytest.mark.parametrize(
    "moment",
    ["process.TargetProcess._read_ready", "probe.problem", "probe.observe"],
)
def test_nothing_is_left_of_an_interrupted_start(
    moment: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("wsgibench.harness." + moment, interrupt)
    started = target(tmp_path)
    with pytest.raises(KeyboardInterrupt), started:
        pass
    assert not os.path.exists("/proc/%d" % started.pid)


def test_a_busy_port(tmp_path: Path) -> None:
    with open_socket("127.0.0.1", 0, 5) as taken:
        port = taken.getsockname()[1]
        with (
            pytest.raises(WsgibenchError, match="Address already in use"),
            target(tmp_path, port=port),
        ):
            pass


def test_a_death_is_told_with_its_last_words(tmp_path: Path) -> None:
    with target(tmp_path) as running:
        os.kill(running.pid, signal.SIGKILL)
        running._process.wait(60)  # type: ignore[union-attr]
        assert not running.alive()
        assert "(exit -9)" in running.last_words()


DYING = """
import os, time

def die():
    time.sleep(WHEN)
    os.kill(os.getpid(), 4)

if WHEN:
    os.register_at_fork(after_in_child=die)

def application(environ, start_response):
    die()
"""


@pytest.mark.parametrize("when", [0.0, 0.2])
def test_workers_that_die_again_and_again_are_not_waited_for(
    tmp_path: Path, when: float
) -> None:
    """At a request, or when they start; gunicorn replaces them for ever."""
    (tmp_path / "dying.py").write_text(DYING.replace("WHEN", str(when)))
    asked = scenario.of_application(
        Application("dying:application", str(tmp_path)), []
    )
    with (
        pytest.raises(WsgibenchError, match="of its workers died within"),
        target(tmp_path, "gunicorn-sync", asked, patience=100.0),
    ):
        pass


def test_a_target_that_waits_for_nothing_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deaths, "IDLE_SECONDS", 0.5)
    (tmp_path / "stuck.py").write_text(
        "def application(environ, start_response):\n"
        "    __import__('threading').Event().wait()\n"
    )
    asked = scenario.of_application(
        Application("stuck:application", str(tmp_path)), []
    )
    with (
        pytest.raises(WsgibenchError, match="s it has done nothing"),
        target(tmp_path, "wsgiref", asked, patience=100.0),
    ):
        pass
