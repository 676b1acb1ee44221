"""What goes wrong with a worker, its way or its master, and ssh."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.machines.conftest import ENVIRONMENT, Room, wait_for
from wsgibench.load import worker_doubts

LOCUSTFILE = """
from locust import HttpUser, task

class Any(HttpUser):
    @task
    def page(self):
        pass
"""


def test_a_master_that_is_restarted(room: Room, tmp_path: Path) -> None:
    """Its worker ends the load, asks to be taken again, and is."""
    file = tmp_path / "locustfile.py"
    file.write_text(LOCUSTFILE)
    words = ["-m", "locust", "-f", str(file), "--master", "--headless"]
    words += ["--expect-workers", "1", "-u", "4", "-r", "4", "-H", room.url]
    room.served()
    first = room.master.python(*words, cwd=tmp_path)
    worker = room.machines[2].wsgibench(
        "worker", "/again", "--master", room.master.address
    )
    wait_for(room.is_loaded, "no load")
    first.kill()
    first.wait()
    second = room.master.python(*words, "-t", "3s", cwd=tmp_path)
    said = second.communicate(timeout=100)[0]
    assert second.returncode == 0, said
    assert "1 workers connected" in said
    assert worker.wait(20) == 0
    assert set(room.served()) == {"/again"}


def test_a_worker_without_a_cpu_of_its_own(room: Room) -> None:
    cpu = min(os.sched_getaffinity(0))
    worker = room.machines[2].start(
        *("taskset", "-c", str(cpu), sys.executable, "-m", "wsgibench"),
        *("worker", "--master", room.master.address),
    )
    other = room.machines[3].wsgibench(
        "worker", "--master", room.master.address
    )
    thieves = [
        subprocess.Popen([sys.executable, "-c", "while True: pass"])
        for _ in range(3)
    ]
    try:
        for thief in thieves:
            os.sched_setaffinity(thief.pid, {cpu})
        process = room.load("-c", "8", "-d", "3", workers="2")
        result = room.result(process)
    finally:
        for thief in thieves:
            thief.kill()
            thief.wait()
    slow = max(result["workers"], key=lambda one: one["wait_share"])
    # How much it waits is for the scheduler to say: a server that has no CPU
    # itself leaves the worker little to do.
    assert slow["wait_share"] > 0
    assert (slow["wait_share"] > worker_doubts.MAX_WAIT) == any(
        slow["name"] in reason and "for a CPU" in reason
        for reason in result["reasons"]
    )
    assert worker.wait(20) == other.wait(20) == 0


def test_workers_by_ssh(room: Room, tmp_path: Path) -> None:
    sshd = shutil.which("sshd", path="/usr/sbin:/usr/bin")
    if sshd is None:
        pytest.skip("openssh-server is not installed")
    machine = room.machines[4]
    for name in ("host", "user"):
        subprocess.run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", ""]
            + ["-f", str(tmp_path / name)],
            check=True,
        )
    Path("/run/sshd").mkdir(exist_ok=True)
    options = {
        "HostKey": tmp_path / "host",
        "AuthorizedKeysFile": tmp_path / "user.pub",
        "StrictModes": "no",
        "PermitRootLogin": "yes",
        "UsePAM": "no",
        "PidFile": "none",
    }
    daemon = machine.start(
        *(sshd, "-D", "-e", "-f", "/dev/null"),
        *("-o" + "%s=%s" % pair for pair in options.items()),
    )
    ssh = "ssh -F /dev/null -i %s -o StrictHostKeyChecking=no" % (
        tmp_path / "user"
    )
    ssh += " -o UserKnownHostsFile=%s -o LogLevel=ERROR" % (tmp_path / "known")
    reach = [*shlex.split(ssh), "-oBatchMode=yes", machine.address, "true"]
    wait_for(
        lambda: (
            room.master.start(*reach).wait(30) == 0
            or daemon.poll() is not None
        ),
        "no sshd",
    )
    assert daemon.poll() is None, daemon.communicate()[0]
    command = "env PYTHONPATH=%s %s -m wsgibench" % (
        shlex.quote(ENVIRONMENT["PYTHONPATH"]),
        shlex.quote(sys.executable),
    )
    room.served()
    process = room.load(
        *("-c", "4", "-n", "400", "--ssh", ssh),
        *("--worker-command", command, "--bind", "127.0.0.1:5599"),
        workers=machine.address,
    )
    result = room.result(process)
    assert result["classes"]["ok"] == len(room.served()) == 400
    assert len(result["workers"]) == 1
    wrong = room.load(
        *("-c", "4", "-n", "4", "--ssh", ssh, "--bind", "127.0.0.1:5598"),
        *("--worker-command", "/nowhere/python"),
        workers=machine.address,
    )
    said = wrong.communicate(timeout=100)[0]
    assert wrong.returncode == 1, said
    assert "no worker on " + machine.address in said
