"""A server as a process: started, checked, heard out, stopped."""

from __future__ import annotations

import dataclasses
import os
import signal
import socket
from pathlib import Path

import pytest

from wsgibench.errors import WsgibenchError
from wsgibench.harness import environments, interpreters, scenario, servers
from wsgibench.harness.process import TargetProcess, open_socket
from wsgibench.harness.scenario import Scenario

HELLO = scenario.find("hello")


def target(
    log: Path, server: str = "wsgiref", asked: Scenario = HELLO, port: int = 0
) -> TargetProcess:
    found = servers.find(server)
    environment = environments.get(
        interpreters.find("python3"), found.name, lambda text: None
    )
    return TargetProcess(environment, found, asked, log=log / "log", port=port)


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
        running._process.wait(5)  # type: ignore[union-attr]
        assert not running.alive()
        assert "(exit -9)" in running.last_words()
