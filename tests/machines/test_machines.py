"""A master and four workers, each a machine of its own, load c-uv."""

from __future__ import annotations

import collections
import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.machines.conftest import Room, ip, wait_for
from wsgibench.harness import (
    cell,
    client,
    environments,
    plan,
    scenario,
    servers,
)
from wsgibench.load.hdr import Histogram

Workers = list[subprocess.Popen[str]]

LOCUSTFILE = """
from locust import HttpUser, constant, task
from wsgibench.locust import FastUser

class Fast(FastUser):
    requests = ("/fast?{seq}", "/fast")
    weight = 3

class Plain(HttpUser):
    wait_time = constant(0.1)

    @task
    def page(self):
        self.client.get("/plain")
"""


def classes(result: dict[str, Any]) -> dict[str, int]:
    """Those that are not 0, and their sum is the schedule's."""
    found = {name: n for name, n in result["classes"].items() if n}
    assert sum(found.values()) == result["scheduled"]
    assert all(
        sum(worker["classes"].get(name, 0) for worker in result["workers"])
        == count
        for name, count in found.items()
        if name != "in_flight"
    )
    return found


def test_counts_and_percentiles_are_exact(
    room: Room, workers: Workers, tmp_path: Path
) -> None:
    urls = tmp_path / "urls"
    urls.write_text("97 /fast?{seq}\n3 /slow\n")
    words = ["--urls", str(urls), "-c", "16", "--rate", "100", "-d", "4"]
    words += ["--drain", "5", "--timeout", "20"]
    for _ in range(3):  # others on this machine can only add
        result = room.result(room.load(*words))
        served = room.served()
        assert classes(result) == {"ok": len(served)}
        assert len(result["workers"]) == 4
        assert all(worker["scheduled"] for worker in result["workers"])
        # One schedule, dealt out: no number twice.
        numbers = collections.Counter(served)
        del numbers["/slow"]
        assert set(numbers.values()) == {1}
        # 400 +- 5 standard deviations; the seed is fixed.
        assert abs(result["scheduled"] - 400) < 100
        hdr = Histogram.decode(result["service"]["hdr"])
        p99 = hdr.quantile(0.99)
        if p99 == pytest.approx(2e9, rel=0.01):
            break
    assert p99 == pytest.approx(2e9, rel=0.01)
    assert result["start_spread_ns"] < 2e9
    assert all("offset_ns" in w["clock"] for w in result["workers"])


def test_a_worker_that_dies(room: Room, workers: Workers) -> None:
    process = room.load("-c", "8", "-d", "6", "--think", "0.05")
    wait_for(room.is_loaded, "no load")
    workers[0].kill()
    result = room.result(process)
    dead = [one for one in result["workers"] if one["lost"]]
    assert [one["lost"] for one in dead] == ["died or was cut off"]
    assert result["verdict"] != "VALID"
    assert any(dead[0]["name"] in reason for reason in result["reasons"])
    served = len(room.served())
    # What it had not reported yet is in no class; nothing is there twice.
    assert 0.7 * served <= classes(result)["ok"] <= served
    workers[0] = room.machines[2].wsgibench(
        *("worker", "--master", room.master.address, "--stay")
    )


def test_a_partition_of_five_seconds(room: Room, workers: Workers) -> None:
    process = room.load("-c", "8", "-d", "10", "--think", "0.05")
    wait_for(room.is_loaded, "no load")
    began = time.monotonic()
    link = ["ip", "-n", room.switch, "link", "set", room.machines[3].link]
    subprocess.run([*link, "down"], check=True)
    while time.monotonic() < began + 5:
        time.sleep(0.1)
    subprocess.run([*link, "up"], check=True)
    result = room.result(process)
    assert [one["lost"] for one in result["workers"]] == [""] * 4
    away = [one for one in result["workers"] if one["missing"]]
    assert len(away) == 1
    assert any("not heard of" in reason for reason in result["reasons"])
    classes(result)


def test_a_stock_master_and_mixed_users(room: Room, tmp_path: Path) -> None:
    """Locust's own master and workers, a locustfile with both kinds."""
    file = tmp_path / "locustfile.py"
    file.write_text(LOCUSTFILE)
    room.served()
    master = room.master.python(
        *("-m", "locust", "-f", str(file), "--master", "--headless"),
        *("--expect-workers", "2", "-u", "8", "-r", "8", "-t", "5s"),
        *("-H", room.url, "--csv", str(tmp_path / "stats")),
        *("--load-json", str(tmp_path / "load.json")),
        cwd=tmp_path,
    )
    for machine in room.machines[2:4]:
        machine.wsgibench(
            *("worker", "-f", str(file), "--master", room.master.address)
        )
    said = master.communicate(timeout=100)[0]
    assert master.returncode == 0, said
    record = json.loads((tmp_path / "load.json").read_text())
    served = collections.Counter(
        target.partition("?")[0] for target in room.served()
    )
    assert classes(record) == {"ok": served["/fast"]}
    rows = {
        row["Name"]: row
        for row in csv.DictReader(
            (tmp_path / "stats_stats.csv").read_text().splitlines()
        )
    }
    assert int(rows["Fast"]["Request Count"]) == served["/fast"]
    assert int(rows["Fast"]["Failure Count"]) == 0
    assert record["connections"]["asked"] == 6


def test_a_worker_without_a_locustfile(room: Room, tmp_path: Path) -> None:
    """A stock master's users, whatever their class; and SIGTERM."""
    file = tmp_path / "locustfile.py"
    file.write_text(
        "from locust import HttpUser, task\n"
        "class Any(HttpUser):\n    @task\n    def page(self): pass\n"
    )
    room.served()
    master = room.master.python(
        *("-m", "locust", "-f", str(file), "--master", "--headless"),
        *("--expect-workers", "2", "-u", "8", "-r", "8", "-t", "8s"),
        *("-H", room.url, "--csv", str(tmp_path / "stats")),
        cwd=tmp_path,
    )
    ours = [
        machine.wsgibench("worker", "/ours", "--master", room.master.address)
        for machine in room.machines[2:4]
    ]
    wait_for(room.is_loaded, "no load")
    ours[0].send_signal(signal.SIGTERM)
    assert ours[0].wait(20) == 0
    said = master.communicate(timeout=100)[0]
    assert master.returncode == 0, said
    assert "quit" in said
    assert ours[1].wait(20) == 0
    assert set(room.served()) == {"/ours"}


def test_a_run_with_its_client_in_another_namespace(room: Room) -> None:
    """Our address in a network of it is found."""
    here, there = "v%x" % os.getpid(), room.machines[5].name
    ip("link", "add", here, "type", "veth", "peer", "eth1", "netns", there)
    try:
        ip("addr", "add", "10.78.0.1/24", "dev", here)
        ip("link", "set", here, "up")
        ip("-n", there, "addr", "add", "10.78.0.2/24", "dev", "eth1")
        ip("-n", there, "link", "set", "eth1", "up")
        where = client.in_namespace(there)
        observed = cell.run(
            servers.find("null"),
            scenario.find("hello"),
            plan.Load(4, 0.3, 0.0, True, "minimal"),
            environments.Environment(sys.executable, {}),
            start=0,
            seed=1,
            cpus=(None, None),
            client=where,
        )
    finally:
        ip("link", "del", here)
    assert where.host == "10.78.0.1"
    load = observed["load"]
    assert load["url"].startswith("http://10.78.0.1:")
    assert load["classes"]["ok"] > 0
