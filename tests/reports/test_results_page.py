"""benchmarks/results.py: the suites of one page need not be of one day."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.stats import synthetic
from wsgibench.harness import suite

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = ROOT / "benchmarks" / "results.py"


def written(path: Path, name: str, commit: str) -> Path:
    """A record of that suite in which one server was measured."""
    starts = [synthetic.start([9000] * 40, [90_000.0] * 40)]
    asked: dict[str, Any] = suite.read(name).to_json()
    load = {"name": next(iter(asked["loads"])), "connections": 200}
    record = synthetic.record(
        [synthetic.cell("gunicorn-gevent:workers=10", starts, load=load)],
        suite=asked,
        commit=commit,
    )
    path.write_text(json.dumps(record))
    return path


def sections(page: Path) -> dict[str, str]:
    """The line of each that says its commit, by suite."""
    parts = page.read_text().split("\n## ")[1:]
    return {part.split("\n")[0]: part.split("\n")[2] for part in parts}


def program(*arguments: object) -> None:
    command = [sys.executable, PROGRAM, *arguments]
    subprocess.run(list(map(str, command)), check=True, timeout=60)


def test_a_suite_takes_the_place_of_what_it_was(tmp_path: Path) -> None:
    page = tmp_path / "RESULTS.md"
    first = written(tmp_path / "1.json", "framewut", "aaaaaaaaaa")
    second = written(tmp_path / "2.json", "long-running-task", "bbbbbbbbbb")
    program(first, second, "--into", page)
    before = sections(page)
    assert list(before) == ["framewut", "long-running-task"]
    assert "commit aaaaaaaaaa" in before["framewut"]
    whole = page.read_text()
    program(second, "--into", page)
    assert page.read_text() == whole
    program(written(first, "framewut", "cccccccccc"), "--into", page)
    after = sections(page)
    assert "commit cccccccccc" in after["framewut"]
    assert after["long-running-task"] == before["long-running-task"]
    assert list(after) == list(before)
