"""Real servers, really counted: the numbers repeat, and what is planted in a
target shows in them."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from wsgibench.harness import servers
from wsgibench.harness.counted import calls, start
from wsgibench.harness.counted.targets import Subject
from wsgibench.harness.environments import Environment
from wsgibench.harness.plan import Load
from wsgibench.harness.scenario import Scenario

needs_valgrind = pytest.mark.skipif(
    shutil.which("valgrind") is None, reason="install valgrind"
)
needs_strace = pytest.mark.skipif(
    not calls.available(), reason="install strace"
)

APP = """
import os

PAGE = [b"x" * 40]


def application(environ, start_response):
    start_response("200 OK", [("Content-Length", "40")])
    return PAGE


def dearer(environ, start_response):
    for _ in range(20):
        pass
    os.getppid()
    return application(environ, start_response)
"""

LOAD = Load(
    connections=1,
    duration=1.0,
    warmup=0.0,
    keepalive=True,
    headers="browser",
)


def subject(folder: Path, name: str) -> Subject:
    (folder / "counted_app.py").write_text(APP)
    paths = tuple(path for path in sys.path if path)
    return Subject(
        servers.find("c-uv"),
        Scenario(name, "", "counted_app:" + name, b"", any_body=True),
        LOAD,
        Environment(sys.executable, {}, (str(folder), *paths)),
        {},
    )


@needs_valgrind
@pytest.mark.timeout(300)
def test_instructions_repeat_and_a_planted_loop_shows(tmp_path: Path) -> None:
    plain, dearer = (
        subject(tmp_path, name) for name in ("application", "dearer")
    )
    found = start.instructions([plain, dearer, plain])
    first, more, again = (one["instructions"] for one in found)
    assert 1000 < first < 1_000_000
    assert again == pytest.approx(first, rel=0.005)
    # A turn of the loop is some bytecodes of some tens of instructions.
    assert 20 * 10 < more - first < 20 * 1000 + 20_000


@needs_strace
@pytest.mark.timeout(300)
def test_system_calls_by_name(tmp_path: Path) -> None:
    plain, dearer = (
        one["calls"]
        for one in start.system_calls(
            [subject(tmp_path, name) for name in ("application", "dearer")]
        )
    )
    assert plain["recvfrom"] == pytest.approx(1, abs=0.01)
    assert plain["sendto"] == pytest.approx(1, abs=0.01)
    assert "getppid" not in plain
    assert dearer["getppid"] == pytest.approx(1, abs=0.01)
