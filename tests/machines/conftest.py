"""Machines made of network namespaces, joined by a bridge."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
APPLICATION = """
import time

def app(environ, start_response):
    if environ["PATH_INFO"] == "/slow":
        time.sleep(2)
    start_response("200 OK", [("Content-Length", "5")])
    return [b"hello"]
"""


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


def why_not() -> str:
    """Why there can be no namespaces; "": there can."""
    if not shutil.which("ip"):
        return "iproute2 is not installed"
    name = "wb-try-%d" % os.getpid()
    done = subprocess.run(
        ["ip", "netns", "add", name], capture_output=True, text=True
    )
    if done.returncode:
        return "no network namespaces: " + done.stderr.strip()
    ip("netns", "del", name)
    return ""


class Machine:
    def __init__(self, prefix: str, number: int) -> None:
        self.name = "%s%d" % (prefix, number)
        self.address = "10.77.0.%d" % (number + 1)
        self.link = "v" + self.name
        self.processes: list[subprocess.Popen[str]] = []

    def make(self, switch: str) -> None:
        ip("netns", "add", self.name)
        ip(
            *("link", "add", self.link, "netns", switch, "type", "veth"),
            *("peer", "name", "eth0", "netns", self.name),
        )
        ip("-n", switch, "link", "set", self.link, "master", "br0", "up")
        ip("-n", self.name, "addr", "add", self.address + "/24", "dev", "eth0")
        ip("-n", self.name, "link", "set", "eth0", "up")
        ip("-n", self.name, "link", "set", "lo", "up")

    def start(self, *words: str, **more: Any) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            ["ip", "netns", "exec", self.name, *words],
            env=ENVIRONMENT,
            text=True,
            **{
                "stdout": subprocess.PIPE,
                "stderr": subprocess.STDOUT,
                **more,
            },
        )
        self.processes.append(process)
        return process

    def python(self, *words: str, **more: Any) -> subprocess.Popen[str]:
        return self.start(sys.executable, *words, **more)

    def wsgibench(self, *words: str, **more: Any) -> subprocess.Popen[str]:
        return self.python("-m", "wsgibench", *words, **more)

    def end(self) -> None:
        for process in self.processes:
            if process.poll() is None:
                process.terminate()
        for process in self.processes:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(5)
            process.kill()
            process.wait()
            if process.stdout:
                process.stdout.close()


class Room:
    """Machines 0 (a master), 1 (the server), 2 ... (workers)."""

    def __init__(self, folder: Path, machines: int) -> None:
        self.folder = folder
        prefix = "wb%x-" % (os.getpid() % 0xFFFF)
        self.switch = prefix + "sw"
        self.machines = [Machine(prefix, n) for n in range(machines)]
        self.master, self.server = self.machines[:2]
        self.log = folder / "access.log"
        self.url = "http://%s:8000" % self.server.address

    def __enter__(self) -> Room:
        ip("netns", "add", self.switch)
        ip("-n", self.switch, "link", "add", "br0", "type", "bridge")
        ip("-n", self.switch, "link", "set", "br0", "up")
        for machine in self.machines:
            machine.make(self.switch)
        (self.folder / "slowly.py").write_text(APPLICATION)
        self.server.wsgibench(
            *("serve", "slowly:app", "--chdir", str(self.folder)),
            *("--bind", self.server.address + ":8000", "--threads", "24"),
            *("--access-log", str(self.log)),
            stdout=subprocess.DEVNULL,
        )
        return self

    def __exit__(self, *_: object) -> None:
        for machine in self.machines:
            machine.end()
            subprocess.run(["ip", "netns", "del", machine.name], check=False)
        subprocess.run(["ip", "netns", "del", self.switch], check=False)

    def served(self) -> list[str]:
        """The targets that the server answered since the last call. Its log
        has them in order, so one that is asked last shows that they are all
        there."""
        wait_for(lambda: self.log.exists(), "no log")
        self._marks = getattr(self, "_marks", 0) + 1
        mark = "/mark-%d" % self._marks
        wait_for(lambda: self._asks(mark), "the server does not answer")
        wait_for(lambda: mark in self.log.read_text(), "the log stays behind")
        lines = self.log.read_text().splitlines()
        fresh = lines[getattr(self, "_seen", 0) :]
        self._seen = len(lines)
        targets = [line.split('"')[1].split()[1] for line in fresh]
        return [target for target in targets if target != mark]

    def _asks(self, target: str) -> bool:
        asks = "import sys; from urllib.request import urlopen as u; "
        asks += "u(sys.argv[1], None, 9)"
        asking = self.master.python("-c", asks, self.url + target)
        asking.communicate(timeout=100)
        return asking.returncode == 0

    def has_answered(self, *targets: str) -> bool:
        """Each of them some times since served() was called."""
        if not self.log.exists():
            return False
        lines = self.log.read_text().splitlines()[getattr(self, "_seen", 0) :]
        fresh = "\n".join(lines)
        return all(fresh.count('"GET %s ' % one) >= 10 for one in targets)

    def is_loaded(self) -> bool:
        """Some requests were answered since served() was called."""
        if not self.log.exists():
            return False
        lines = self.log.read_text().count("\n")
        return bool(lines > getattr(self, "_seen", 0) + 50)

    def load(self, *words: str, workers: str = "4") -> Any:
        """A load from the master's machine, under way."""
        return self.master.wsgibench(
            *("load", self.url, "--workers", workers, *words),
            *("--json", str(self.folder / "out.json")),
        )

    def result(self, process: Any) -> dict[str, Any]:
        said = process.communicate(timeout=100)[0]
        path = self.folder / "out.json"
        assert path.exists(), said
        found: dict[str, Any] = json.loads(path.read_text())
        path.unlink()
        found["said"], found["code"] = said, process.returncode
        return found


def wait_for(holds: Any, what: str, seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until, what
        time.sleep(0.05)


@pytest.fixture(scope="session")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    # Not imported: it would make this process one of gevent's.
    if importlib.util.find_spec("locust") is None:
        pytest.skip("Locust is not installed")
    why = why_not()
    if why:
        pytest.skip(why)
    with Room(tmp_path_factory.mktemp("room"), 6) as made:
        yield made


def join(room: Room) -> list[subprocess.Popen[str]]:
    return [
        machine.wsgibench(
            *("worker", "--master", room.master.address, "--stay"),
        )
        for machine in room.machines[2:]
    ]


@pytest.fixture
def workers(room: Room) -> Iterator[list[subprocess.Popen[str]]]:
    """Four that stay for one master after the other; they would join those
    of other tests, too."""
    started = join(room)
    yield started
    for process in started:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        process.wait(20)
