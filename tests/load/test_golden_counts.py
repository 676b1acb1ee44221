"""Every class is counted exactly, against the server's own account."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, Callable

import pytest

Load = Callable[..., dict[str, Any]]
Golden = Callable[..., Any]

FAULTS = {
    "reset_each": 100,
    "wrong_each": 50,
    "half_each": 70,
    "status_each": 30,
    "junk_each": 110,
}


def expected(did: dict[str, int]) -> dict[str, int]:
    """The classes that follow from what the server did."""
    return {
        "ok": did["right"] + did["delay"],
        "bad_status": did["status"],
        "bad_body": did["wrong"],
        "refused": 0,
        "connect_timeout": 0,
        "reset": did["reset"],
        "early_eof": did["half"],
        "parse_error": did["junk"],
        "timeout": did["silent"] + did["mute"],
        "unsent": 0,
        "in_flight": 0,
    }


@pytest.mark.parametrize("rate", [0, 2000])
@pytest.mark.parametrize("chunked", [False, True])
def test_every_fault_is_counted(
    load: Load, golden: Golden, rate: float, chunked: bool
) -> None:
    server = golden(**FAULTS, chunked=chunked)
    result = load(
        server.url,
        connections=8,
        requests=3000,
        duration=60,
        rate=rate,
        expect_body=server.body,
        timeout=30,
        drain=30,
    )
    account = server.account()
    assert result["scheduled"] == account["requests"] == 3000
    assert result["classes"] == expected(account["did"])
    assert result["classes"]["reset"] == 30
    assert result["classes"]["bad_body"] == 30  # not each 100th
    assert result["verdict"] == "INVALID"


@pytest.mark.parametrize("rate", [0, 1000])
def test_no_keepalive(load: Load, golden: Golden, rate: float) -> None:
    server = golden(**FAULTS, close=True)
    result = load(
        server.url,
        connections=8,
        requests=1000,
        duration=60,
        rate=rate,
        keepalive=False,
        expect_body=server.body,
        timeout=30,
        drain=30,
    )
    account = server.account()
    assert result["classes"] == expected(account["did"])
    assert account["connections"] == 1000
    assert set(account["per_connection"]) == {1}


@pytest.mark.parametrize("rate", [0, 400])
def test_answers_that_never_come(
    load: Load, golden: Golden, rate: float
) -> None:
    server = golden(silent_each=50)
    result = load(
        server.url,
        connections=10,
        requests=300,
        duration=60,
        rate=rate,
        timeout=2.0,  # the others are answered in time on any machine
        drain=10,
    )
    account = server.account()
    assert result["classes"] == expected(account["did"])
    assert result["classes"]["timeout"] == 6
    # They are in the tail as what they are: at least two seconds.
    assert result["tail"]["p99_ns"] >= 2e9
    assert "p99_ns" in result["tail"]["at_least"]
    assert result["response"]["p99_ns"] < 2e9


def test_connections_never_answered(load: Load, golden: Golden) -> None:
    server = golden(mute_each=4)
    result = load(server.url, connections=8, duration=1, timeout=30, drain=0.2)
    account = server.account()
    assert result["classes"]["in_flight"] == account["did"]["mute"] == 2
    assert result["classes"]["ok"] == account["did"]["right"]
    assert result["connections"]["open_at_once"] == 8
    assert result["connections"]["ever_answered"] == 6
    assert any("never answered" in reason for reason in result["reasons"])
    assert result["verdict"] == "SUSPECT"


def test_a_dead_server_refuses(load: Load, golden: Golden) -> None:
    server = golden(die_at=500)
    result = load(server.url, connections=4, duration=1, rate=2000, drain=0.5)
    classes = result["classes"]
    assert classes["ok"] <= 499
    lost = classes["reset"] + classes["early_eof"]
    assert 1 <= lost <= 4 + 4  # in flight, or written to a dead socket
    assert classes["refused"] > 0  # 1,500 where nobody else works
    assert result["verdict"] == "INVALID"


def test_nobody_listens(load: Load, golden: Golden) -> None:
    server = golden()
    server.kill_now = server.process.kill()
    server.process.wait()
    result = load(server.url, connections=3, duration=0.3)
    classes = result["classes"]
    assert classes["refused"] == result["scheduled"] > 0
    # All that is known of their times: at least so long.
    assert result["response"]["count"] == 0
    assert result["tail"]["count"] == result["scheduled"]
    assert "p50_ns" in result["tail"]["at_least"]


def test_unsent_requests_are_counted(load: Load, golden: Golden) -> None:
    """One connection, an answer each 200 ms, 100 requests due a second."""
    server = golden(delay_each=1, delay=0.2)
    result = load(
        server.url,
        connections=1,
        duration=1,
        rate=100,
        poisson=False,
        drain=0.5,
    )
    classes = result["classes"]
    assert result["scheduled"] == 99  # the 100th is due when it ends
    assert classes["unsent"] >= 80
    assert result["starved"] >= 90
    assert result["tail"]["at_least"]
    assert any("no free connection" in r for r in result["reasons"])


@pytest.mark.parametrize("processes", [1, 2])
def test_sigint_keeps_the_partial_result(
    golden: Golden, tmp_path: Path, processes: int
) -> None:
    server = golden(keep=1)
    out = tmp_path / "result.json"
    process = subprocess.Popen(
        [sys.executable, "-m", "wsgibench", "load", server.url]
        + ["-c", "4", "-d", "60", "--json", str(out), "--slo", "errors=0"]
        + ["--processes", str(processes), "--rate", "500"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        text=True,
    )
    # The server's account says when the run is under way; ask it by loading.
    wait_until_asked(server.port)
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=60)
    result = json.loads(out.read_text())
    assert result["interrupted"]
    assert sum(result["classes"].values()) == result["scheduled"] > 0
    assert result["duration_s"] < 50
    assert "interrupted" in stdout
    assert "an interrupted run passes no gate" in stderr
    assert process.returncode == 3


def wait_until_asked(port: int) -> None:
    """Until somebody else's connection to the server is established."""
    wanted = ":%04X" % port
    for _ in range(100_000):
        lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
        for line in lines:
            fields = line.split()
            if fields[2].endswith(wanted) and fields[3] == "01":
                return
    raise AssertionError("nobody connected")
