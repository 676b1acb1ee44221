"""An interrupted run, taken up again: nothing twice, nothing lost."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.native.process import until
from tests.stats import synthetic
from wsgibench import cli
from wsgibench.errors import UsageError
from wsgibench.harness import cell, environments, record, selection
from wsgibench.harness.environments import Environment
from wsgibench.harness.plan import Cell, Load
from wsgibench.harness.progress import Progress, text

STARTS, SERVERS = 3, ("null", "raw-socket")
ALL = STARTS * len(SERVERS)


class Measured:
    """Stands for cell.run: counts, and is interrupted before the n-th."""

    def __init__(self) -> None:
        self.made: list[tuple[str, int]] = []
        self.stop_at = -1

    def run(
        self, server: Any, scenario: Any, load: Any, *_: Any, **more: Any
    ) -> dict[str, Any]:
        if len(self.made) == self.stop_at:
            raise KeyboardInterrupt
        self.made.append((server.name, more["start"]))
        return synthetic.start(
            [1000 + len(self.made)] * 20, [90_000] * 20, block=more["start"]
        )


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> Measured:
    made = Measured()
    monkeypatch.setattr(cell, "run", made.run)
    monkeypatch.setattr(
        environments,
        "get",
        lambda interpreter, *_: Environment(interpreter.path, {"x": "1"}),
    )
    return made


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    argv = ["run", *arguments]
    monkeypatch.setattr("sys.argv", ["wsgibench", *argv])
    return cli.main(argv)


def begin(monkeypatch: pytest.MonkeyPatch, path: Path, *more: str) -> int:
    return run(
        monkeypatch,
        "--server=" + ",".join(SERVERS),
        "--starts=%d" % STARTS,
        "--warmup=0",
        "--output=%s" % path,
        *more,
    )


def found(path: Path) -> dict[tuple[str, int], int]:
    """(server, start) -> what was counted in it."""
    return {
        (one["server"], start["start"]): start["load"]["classes"]["ok"]
        for one in record.read(path)["cells"]
        for start in one["starts"]
    }


@pytest.mark.parametrize("stop_at", range(ALL))
def test_nothing_twice_and_nothing_lost(
    stop_at: int,
    tmp_path: Path,
    measured: Measured,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = tmp_path / "record.json"
    measured.stop_at = stop_at
    assert begin(monkeypatch, path) == 130
    assert "run --resume %s" % path in capsys.readouterr().err
    before = found(path)
    assert len(before) == stop_at
    assert not record.read(path)["complete"]

    measured.stop_at = -1
    assert run(monkeypatch, "--resume", str(path)) == 0
    after = found(path)
    assert len(measured.made) == len(set(measured.made)) == ALL
    assert set(after) == set(measured.made)
    assert {key: after[key] for key in before} == before
    assert record.read(path)["complete"]

    assert run(monkeypatch, "--resume", str(path)) == 0
    assert found(path) == after
    assert len(measured.made) == ALL


def alive() -> dict[int, int]:
    """Of all processes that have not ended: the parent."""
    parents = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent = path.read_text().rpartition(")")[2].split()[:2]
        except OSError:
            continue
        if state != "Z":
            parents[int(path.parent.name)] = int(parent)
    return parents


def descendants(pid: int) -> set[int]:
    parents = alive()
    found, more = set(), {pid}
    while more:
        more = {one for one, parent in parents.items() if parent in more}
        found |= more
    return found


@pytest.mark.parametrize(
    "number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL]
)
def test_nothing_of_an_ended_run_stays_behind(
    number: int, tmp_path: Path
) -> None:
    """A real one, ended while its server is asked or loaded."""
    path = tmp_path / "record.json"
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "wsgibench", "run", "--server=wsgiref"),
            *("--starts=50", "--duration=1", "--warmup=0"),
            *("--connections=2", "--output=%s" % path),
        ],
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    try:
        for line in process.stderr:
            if line.startswith("[2/50"):
                break
        while len(mine := descendants(process.pid)) < 2:
            assert process.poll() is None
            time.sleep(0.01)  # until there is more than the server
        process.send_signal(number)
        _, said = process.communicate(timeout=60)
    finally:
        process.kill()
    if number == signal.SIGKILL:  # then it is the kernel that ends them
        assert process.returncode == -number
        until(lambda: not mine & alive().keys(), "they go on alone")
    else:
        assert process.returncode == 130, said
        assert "run --resume %s" % path in said
        assert not mine & alive().keys()
    # One, or more where this test was late.
    assert 1 <= len(found(path)) < 50


def test_another_machine_is_refused(
    tmp_path: Path,
    measured: Measured,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = tmp_path / "record.json"
    measured.stop_at = 1
    begin(monkeypatch, path)
    changed = record.read(path)
    changed["machine"]["cpu"] = "another"
    path.write_text(json.dumps(changed))
    assert run(monkeypatch, "--resume", str(path)) == 2
    assert "another machine" in capsys.readouterr().err


def test_other_versions_are_no_replicates(
    tmp_path: Path,
    measured: Measured,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = tmp_path / "record.json"
    measured.stop_at = ALL - 1
    begin(monkeypatch, path)
    before = found(path)
    monkeypatch.setattr(
        environments,
        "get",
        lambda interpreter, *_: Environment(interpreter.path, {"x": "2"}),
    )
    assert run(monkeypatch, "--resume", str(path)) == 1
    assert "it was begun with x 1" in capsys.readouterr().err
    assert found(path) == before


def test_a_dry_run_measures_nothing(
    tmp_path: Path,
    measured: Measured,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = tmp_path / "record.json"
    arguments = ("--dry-run", "--aa", "--duration=8.5")
    assert begin(monkeypatch, path, *arguments) == 0
    shown = capsys.readouterr().out
    assert "3 x null (again) on python3" in shown
    assert "9 starts of 3 rows: about 1 min 30 s" in shown
    assert not path.exists()
    assert not measured.made


def test_the_aa_row_is_a_cell_of_its_own(
    tmp_path: Path, measured: Measured, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "record.json"
    assert begin(monkeypatch, path, "--aa") == 0
    cells = record.read(path)["cells"]
    assert [(c["server"], c.get("aa", False)) for c in cells] == [
        ("null", False),
        ("raw-socket", False),
        ("null", True),
    ]
    assert all(len(c["starts"]) == STARTS for c in cells)


def test_parts_of_the_capacity(
    tmp_path: Path, measured: Measured, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The closed loop comes first; its goodput makes the rate of all starts,
    those after an interruption too."""
    path = tmp_path / "record.json"
    measured.stop_at = 2 * len(SERVERS) + 1
    assert begin(monkeypatch, path, "--rate=50%") == 130
    measured.stop_at = -1
    assert run(monkeypatch, "--resume", str(path)) == 0
    cells = record.read(path)["cells"]
    assert len(cells) == 2 * len(SERVERS)
    for closed, paced in zip(cells[:2], cells[2:]):
        assert closed["load"]["rate"] == closed["load"]["fraction"] == 0
        assert paced["load"]["fraction"] == 0.5
        assert len(paced["starts"]) == STARTS
        assert closed["server"] == paced["server"]
        first = closed["starts"][0]["load"]["classes"]["ok"] / 2.0
        assert paced["load"]["rate"] == pytest.approx(first / 2)


def test_no_more_starts_than_the_precision_takes(
    tmp_path: Path,
    measured: Measured,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The made-up starts are nearly alike, so the fewest are enough."""
    path = tmp_path / "record.json"
    begin(monkeypatch, path, "--precision=5", "--starts=9")
    assert "precise enough after 8 starts" in capsys.readouterr().err
    assert len(measured.made) == 8 * len(SERVERS)
    assert record.read(path)["complete"]


def test_rates_in_words() -> None:
    closed = {"rate": 0.0, "fraction": 0.0}
    assert selection.rates("0") == [closed]
    assert selection.rates("500") == [{"rate": 500.0, "fraction": 0.0}]
    half = {"rate": 0.0, "fraction": 0.5}
    assert selection.rates("50%,0") == [closed, half]
    for wrong in ("x", "-1", "5%%", "nan"):
        with pytest.raises(UsageError):
            selection.rates(wrong)


def test_time_left_follows_what_starts_took() -> None:
    load = Load(
        connections=1, duration=6.0, warmup=2.5, keepalive=True, headers=""
    )
    cells = [Cell(name, "python3", "hello", load) for name in "ab"]
    progress = Progress([(0, cells[0]), (0, cells[1]), (1, cells[0])])
    assert progress.left() == 30.0
    assert progress.begin().startswith("[1/3, 30 s left] a on python3")
    progress.end()  # took next to nothing, and so will the others
    assert progress.left() < 1.0


def test_times_in_words() -> None:
    assert text(59.4) == "59 s"
    assert text(61) == "1 min 01 s"
    assert text(3 * 3600 + 120) == "3 h 02 min"
