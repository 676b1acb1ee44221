"""``capacity`` and ``size`` on an application that waits: what no machine can
do better than, and that the records have reports."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from wsgibench.commands import _search_run, size
from wsgibench.commands._exit_codes import DISTURBED
from wsgibench.harness import sizing
from wsgibench.harness.run import Run
from wsgibench.load import slo

APP = """
import time

def application(environ, start_response):
    time.sleep(0.02)
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "waiting.py").write_text(APP)
    return tmp_path


def wsgibench(
    folder: Path, *arguments: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "wsgibench", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=LONGEST - 10,
    )


#: On a machine that others use, no search is to be believed, and right none
#: the less.
DONE = (0, DISTURBED)
#: The first test that needs an environment waits until it is made.
LONGEST = 600
pytestmark = pytest.mark.timeout(LONGEST)
COMMON = (
    *("--app=waiting:application", "--python=python3"),
    *("--duration=1", "--again=0"),
)


def test_capacity(project: Path) -> None:
    done = wsgibench(
        project,
        "capacity",
        *COMMON,
        "--slo=p50=2s,errors=20%",
        "--server=wsgiref",
        "--connections=16",
        "--starts=1",
    )
    assert done.returncode in DONE, done.stderr
    made = json.loads((project / "capacity.json").read_text())
    (cell,) = made["cells"]
    (start,) = cell["starts"]
    # One at a time, 20 ms each: never more than 50 a second, and an arrival
    # process that had fewer in its second than its rate.
    assert 0 < start["capacity"] < 100
    assert any(one["holds"] for one in start["trials"])
    assert not all(one["holds"] for one in start["trials"])
    assert "requests/s" in done.stdout
    again = wsgibench(project, "report", "capacity.json")
    assert again.stdout in done.stdout


def test_size(project: Path) -> None:
    done = wsgibench(
        project,
        "size",
        *COMMON,
        "--rate=100",
        "--slo=p50=5s,errors=50%",
        "--server=waitress",
        "--connections=32",
    )
    assert done.returncode in DONE, done.stderr
    made = json.loads((project / "size.json").read_text())
    (cell,) = made["cells"]
    size = cell["size"]
    assert size["wait_us"] > 19_000
    # Little's law: 100 a second, 20 ms each.
    assert size["under_way"] >= 2
    assert size["tried"][0]["threads"] >= 2
    assert size["found"]["command"].startswith("waitress-serve --threads=")
    assert size["found"]["command"] in done.stdout
    again = wsgibench(project, "report", "size.json")
    assert again.stdout in done.stdout


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["capacity", "--slo=errors=0"], "--slo needs an objective of time"),
        (["capacity", "--slo=p99=fast"], "'fast' is not a time like 20ms"),
        (["capacity", "--starts=0"], "--starts is at least 1"),
        (["capacity", "--again=-1"], "--again is at least 0"),
        (["size", "--rate=0"], "--rate is more than 0"),
        (["size", "--rate=nan"], "--rate is more than 0"),
        (["size", "--rate=5", "--most-memory=-1"], "is more than 0"),
        (["size", "--rate=5", "--server=bjoern"], "bjoern has no workers"),
    ],
)
def test_wrong_use(project: Path, arguments: list[str], sentence: str) -> None:
    done = wsgibench(project, *arguments)
    assert done.returncode == 2
    assert sentence in done.stderr


@pytest.fixture
def search_run(tmp_path: Path) -> Any:
    """Without a cell; it keeps its record in a folder of its own."""
    (tmp_path / "folder").mkdir()
    made: Any = object.__new__(_search_run.SearchRun)
    made.said = []
    made.tell = made.said.append
    made._output = tmp_path / "folder" / "record.json"
    made.run = Run(
        [],
        {},
        starts=1,
        seed=1,
        port=0,
        argv=[],
        output=made._output,
        tell=made.tell,
    )
    return made


def test_ctrl_c_keeps_what_there_is(search_run: Any) -> None:
    def measure() -> None:
        search_run.record["starts"] = 17
        raise KeyboardInterrupt

    assert not search_run.measured(measure)
    assert json.loads(search_run._output.read_text())["starts"] == 17
    assert search_run.said == [
        "interrupted; this is what was measured so far:"
    ]
    assert search_run.code(False, False) == 130


def test_a_record_that_cannot_be_written_is_said_once(
    search_run: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    search_run._output.parent.rmdir()  # or the disk is full
    assert search_run.measured(lambda: search_run.run.keep())
    assert len(search_run.said) == 1
    assert search_run.code(True, False) == 1
    assert "cannot write" in search_run.said[0]
    search_run._output.parent.mkdir()
    search_run.run.keep()  # there is room again
    assert search_run.code(True, False) == 0
    assert search_run.code(True, True) == DISTURBED
    assert "record: " in capsys.readouterr().out


def test_what_one_request_alone_misses_is_not_searched(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    need = sizing.Need(50.0, 0.002, 0.003)
    monkeypatch.setattr(size, "_need", lambda *_: (need, ""))
    search_run: Any = SimpleNamespace(
        gates=slo.parse("p50=1ms,p99=4ms,errors=0"), application_run=None
    )
    cell = SimpleNamespace(server="waitress")
    asked = argparse.Namespace(rate=50.0, most_memory=0.0, most_workers=2)
    found = size._one(search_run, cell, asked)
    assert found["found"] is None
    assert found["tried"] == []
    said = capsys.readouterr().err
    assert "takes 5 ms when it is alone: no number of workers" in said
