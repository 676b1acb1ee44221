"""Records for other tools, read by those tools."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.counting.test_comparison import cell, record
from tests.stats import synthetic
from wsgibench import cli
from wsgibench.stats import history

ROOT = Path(__file__).resolve().parents[2]


def write(path: Path, made: dict[str, Any]) -> str:
    path.write_text(json.dumps(made))
    return str(path)


def pyperf(*arguments: str) -> str:
    pytest.importorskip("pyperf")
    done = subprocess.run(
        [sys.executable, "-m", "pyperf", *arguments],
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout


def exported(folder: Path, name: str, made: dict[str, Any]) -> str:
    given = write(folder / (name + ".record"), made)
    out = str(folder / (name + ".json"))
    assert cli.main(["report", given, "--format=pyperf", "-o", out]) == 0
    return out


def test_pyperf_compares_what_was_timed(tmp_path: Path) -> None:
    quiet = {"between": 0.005, "within": 0.01}
    old = synthetic.race({"c-uv": 10.0}, seed=1, starts=8, **quiet)
    new = synthetic.race({"c-uv": 12.0}, seed=2, starts=8, **quiet)
    files = [
        exported(tmp_path, name, made)
        for name, made in (("old", old), ("new", new))
    ]
    said = pyperf("compare_to", *files)
    assert "slower" in said
    assert "1.2" in said
    said = pyperf("stats", files[0])
    assert "Total number of values: 8" in said


def test_pyperf_compares_what_was_counted(tmp_path: Path) -> None:
    files = [
        exported(tmp_path, name, record(cell(cost, seed=seed, starts=3)))
        for name, cost, seed in (("old", 44_000, 1), ("new", 45_000, 2))
    ]
    assert "slower" in pyperf("compare_to", *files)


def test_nothing_that_is_no_measurement_is_exported(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    empty = write(tmp_path / "a", synthetic.record([synthetic.cell("x", [])]))
    assert cli.main(["report", empty, "--format=pyperf"]) == 2
    assert "no cell" in capsys.readouterr().err


def test_a_benchmark_in_the_form_of_pyperformance(tmp_path: Path) -> None:
    pytest.importorskip("pyperf")
    folder = ROOT / "benchmarks" / "pyperformance" / "bm_wsgi_hello"
    out = tmp_path / "hello.json"
    subprocess.run(
        [sys.executable, str(folder / "run_benchmark.py"), "-o", str(out)]
        + ["--processes=1", "--values=1", "--warmups=0", "--loops=64"]
        + ["--inherit-environ=PYTHONPATH"],
        check=True,
        capture_output=True,
        timeout=100,
    )
    assert " us" in pyperf("show", str(out))
    assert "wsgi_hello" in pyperf("metadata", str(out))


def runs(folder: Path, costs: Sequence[float]) -> None:
    for number, cost in enumerate(costs):
        made = record(cell(cost, seed=number))
        made["created"] = "2026-01-%02dT00:00:00+00:00" % (number + 1)
        made["commit"] = "commit-%d" % number
        write(folder / ("%d.json" % (99 - number)), made)


def test_history_marks_the_version_of_a_change(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runs(tmp_path, [44_000] * 6 + [45_000] * 5)
    (tmp_path / "stranger.json").write_text("{}")
    page = tmp_path / "page.html"
    assert cli.main(["history", str(tmp_path), "-o", str(page)]) == 0
    said = capsys.readouterr()
    line = next(o for o in said.out.splitlines() if "instructions" in o)
    assert "+2.3 % with 0.1.0 commit-6 (2026-01-07)" in line
    assert "left out: " in said.err
    assert "commit-6" in page.read_text(encoding="utf-8")


def test_history_of_what_did_not_change() -> None:
    made = []
    for number in range(12):
        one = record(cell(44_000, seed=number))
        one["created"] = "2026-01-%02d" % (number + 1)
        made.append(one)
    for course in history.courses(made):
        assert course.changes == ()
        assert len(course.points) == 12


def test_history_needs_two(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runs(tmp_path, [44_000])
    assert cli.main(["history", str(tmp_path)]) == 2
    assert "no two records" in capsys.readouterr().err
    assert cli.main(["history", str(tmp_path / "none")]) == 2
