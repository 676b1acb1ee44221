"""Machines made up of files: each disturbance is found, none on a good one."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from wsgibench import cli, verdicts
from wsgibench.harness import disturbances, limits, yardstick
from wsgibench.native import NotBuiltError

GOOD = {
    "proc/stat": "cpu  100 0 100 9000 0 0 0 0 0 0",
    "proc/meminfo": "MemTotal: 8 kB\n"
    "SwapTotal: 900000 kB\nSwapFree: 900000 kB",
    "proc/sys/net/ipv4/ip_local_port_range": "32768 60999",
    "proc/sys/net/core/somaxconn": "4096",
    "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor": "performance",
    "sys/devices/system/cpu/cpufreq/boost": "0",
    "sys/devices/system/cpu/smt/active": "0",
    "sys/class/power_supply/BAT0/status": "Full",
}

BAD = {
    "gave 10.0 % of the CPUs": ("proc/stat", "cpu 50 0 0 40 0 0 0 10 0 0"),
    "878 MiB are in swap": ("proc/meminfo", "SwapTotal: 900000 kB"),
    "only 1001 local ports": (
        "proc/sys/net/ipv4/ip_local_port_range",
        "2000 3000",
    ),
    "holds 128 connections": ("proc/sys/net/core/somaxconn", "128"),
    "governor powersave": (
        "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor",
        "powersave",
    ),
    "turbo is on": ("sys/devices/system/cpu/cpufreq/boost", "1"),
    "SMT is on": ("sys/devices/system/cpu/smt/active", "1"),
    "battery": ("sys/class/power_supply/BAT0/status", "Discharging"),
}


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, text in GOOD.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 1})
    monkeypatch.setattr(disturbances, "WATCH", 1e-6)
    monkeypatch.setattr(limits, "descriptors", lambda: 1 << 20)
    monkeypatch.setattr(shutil, "which", lambda name: "/bin/" + name)
    steady = yardstick.Yardstick(None)
    monkeypatch.setattr(yardstick, "of", lambda cpu: steady)
    monkeypatch.setattr(yardstick, "look", lambda cpu: 400.0)
    return tmp_path


def test_a_good_machine_has_no_findings(machine: Path) -> None:
    assert disturbances.find(machine) == []


@pytest.mark.parametrize("words", BAD)
def test_each_disturbance_is_found(machine: Path, words: str) -> None:
    name, text = BAD[words]
    (machine / name).write_text(text)
    findings = disturbances.find(machine)
    assert len(findings) == 1
    assert words in findings[0].what
    assert findings[0].mend


def test_a_cpu_that_is_slower_at_times(
    machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = iter([400.0, 600.0, *[400.0] * verdicts.FEW_LOOKS])
    monkeypatch.setattr(yardstick, "look", lambda cpu: next(looks))
    found = disturbances.find(machine)
    assert len(found) == 1
    assert "CPU is up to 50 % slower" in found[0].what


def test_where_the_yardstick_is_not_built(
    machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def look(cpu: int | None) -> float:
        raise NotBuiltError("not here")

    monkeypatch.setattr(yardstick, "look", look)
    assert disturbances.find(machine) == []


def test_limits_of_the_process(
    machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0})
    monkeypatch.setattr(limits, "descriptors", lambda: 1024)
    monkeypatch.setattr(shutil, "which", lambda name: None)
    words = [one.what for one in disturbances.find(machine)]
    assert len(words) == 4
    assert any("valgrind" in one for one in words)
    assert words[0].startswith("one CPU")  # warnings come first


def test_others_are_looked_at_now() -> None:
    """Two CPUs, half of one of them in use for half a second."""
    before = "cpu0 100 0 100 9000 0 0 0 0\ncpu1 7 7 7 900 0 0 0 0\n"
    after = "cpu0 115 5 105 9025 0 0 0 0\ncpu1 7 7 7 950 0 0 0 0\n"
    ticks = 25 * os.sysconf("SC_CLK_TCK") / 100
    found = disturbances.others(before, after, [0, 1])
    assert found == pytest.approx(ticks / os.sysconf("SC_CLK_TCK") / 0.5)
    assert disturbances.others(before, after, [1]) == 0


def test_a_machine_without_these_files_is_no_error(tmp_path: Path) -> None:
    for one in disturbances.find(tmp_path):
        assert one.what


def test_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["doctor"]) == 0
    assert "kernel" in capsys.readouterr().out
