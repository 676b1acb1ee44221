"""Rows whose starts lie too far apart get further ones, and with them those
that they are held against."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.harness.test_resume import Measured, found, measured, run
from tests.stats import synthetic
from wsgibench import cli
from wsgibench.harness import cell, record
from wsgibench.stats import pilot, samples

__all__ = ["measured"]  # a fixture

STEADY, UNSTEADY = "null", "raw-socket"


@pytest.fixture
def costs(measured: Measured, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """us per request in each start of the second; those beyond are 90."""
    made: list[float] = []
    inner = measured.run

    def one(server: Any, *arguments: Any, **more: Any) -> dict[str, Any]:
        inner(server, *arguments, **more)
        block = more["start"]
        us = 90.0
        if server.name == UNSTEADY and block < len(made):
            us = made[block]
        used = [1000 * us] * 20
        return synthetic.start([1000] * 20, used, block=block)

    monkeypatch.setattr(cell, "run", one)
    return made


def begin(
    monkeypatch: pytest.MonkeyPatch, path: Path, *more: str
) -> dict[str, int]:
    """Server -> how many starts it has."""
    servers = "--server=%s,%s" % (STEADY, UNSTEADY)
    code = run(monkeypatch, servers, "--warmup=0", "--output=%s" % path, *more)
    assert code == 0
    return Counter(server for server, _ in found(path))


@pytest.mark.parametrize(
    ("starts", "counted"),
    [
        ([90.0, 91.0, 92.0], 3),
        ([80.0, 90.0, 100.0], 4),  # of four the mean is known to 4.5 %
        ([50.0, 90.0, 130.0], 7),  # there is an end to it
    ],
)
def test_as_many_as_it_takes_and_no_more_than_were_allowed(
    starts: list[float],
    counted: int,
    costs: list[float],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    costs += starts
    path = tmp_path / "record.json"
    made = begin(monkeypatch, path, "--starts=3", "--further=4")
    assert made == {STEADY: counted, UNSTEADY: counted}
    assert record.read(path)["complete"]


def test_rows_of_other_loads_have_no_part_in_it(
    costs: list[float], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    costs += [80.0, 90.0, 100.0]
    path = tmp_path / "record.json"
    more = ("--connections=1,64", "--starts=3", "--further=4")
    begin(monkeypatch, path, *more)
    assert {len(one["starts"]) for one in record.read(path)["cells"]} == {4}
    path.unlink()
    costs[:] = [90.0] * 3
    monkeypatch.setattr(
        pilot, "wants_more", lambda cell: cell["load"]["connections"] == 1
    )
    begin(monkeypatch, path, *more)
    assert {
        one["load"]["connections"]: len(one["starts"])
        for one in record.read(path)["cells"]
    } == {1: 7, 64: 3}


def test_interrupted_among_the_further_ones(
    costs: list[float],
    measured: Measured,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    costs += [50.0, 90.0, 130.0]
    path = tmp_path / "record.json"
    measured.stop_at = 9
    servers = "--server=%s,%s" % (STEADY, UNSTEADY)
    more = ("--warmup=0", "--starts=3", "--further=4")
    output = "--output=%s" % path
    assert run(monkeypatch, servers, output, *more) == 130
    assert len(found(path)) == 9
    measured.stop_at = -1
    assert run(monkeypatch, "--resume", str(path)) == 0
    assert len(measured.made) == len(set(measured.made)) == 14
    assert run(monkeypatch, "--resume", str(path)) == 0
    assert len(measured.made) == 14


@pytest.mark.parametrize("said", ["--starts=3", "--profile=quick"])
def test_by_default_none_beyond_what_was_said(
    said: str,
    costs: list[float],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    costs += [50.0, 90.0, 130.0]
    made = begin(monkeypatch, tmp_path / "record.json", said)
    assert len(set(made.values())) == 1


def test_the_profile_standard_has_them(
    costs: list[float], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    costs += [20.0 * number for number in range(1, 11)]
    made = begin(
        monkeypatch, tmp_path / "record.json", "--profile=standard", "--no-aa"
    )
    assert 10 < made[STEADY] == made[UNSTEADY] <= 30


@pytest.mark.parametrize("other", ["--counted", "--budget=1m"])
def test_what_it_does_not_go_with(
    other: str, capsys: pytest.CaptureFixture[str]
) -> None:
    argv = ["run", "--further=2", "--server=null", other, "-o", "/dev/null"]
    assert cli.main(argv) == 2
    assert "--further goes neither with" in capsys.readouterr().err


def test_a_run_that_began_on_a_slow_machine(
    measured: Measured, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two blocks of three at half the speed, taken for usual then: once the
    third is over, they are disturbed, and further ones stand for them."""
    inner = measured.run

    def one(server: Any, *arguments: Any, **more: Any) -> dict[str, Any]:
        inner(server, *arguments, **more)
        block = more["start"]
        us = 800.0 if block < 2 else 400.0
        made = synthetic.start([1000] * 20, [us * 250] * 20, block=block)
        made["yardstick"] = [{"cpu": 0, "now_us": us, "usual_us": us}] * 2
        return made

    monkeypatch.setattr(cell, "run", one)
    path = tmp_path / "record.json"
    made = begin(monkeypatch, path, "--starts=3", "--further=4")
    assert made == {STEADY: 4, UNSTEADY: 4}
    for one_cell in record.read(path)["cells"]:
        assert list(samples.disturbances(one_cell)) == [0, 1]
        assert list(samples.measured(one_cell)) == [2, 3]
