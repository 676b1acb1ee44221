"""What an application finds when it is imported: variables, directories, the
name of its process; and --check-config, which tries it without serving."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Callable

import pytest

from tests.native.process import (
    Program,
    children,
    get,
    programs,
    serve_command,
    until,
)
from tests.wire.target import child_environment

APP = """
import os

def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    with open("data") as file:
        return [(file.read() + os.environ.get("COLOR", "")).encode()]
"""

Run = Callable[..., Program]


@pytest.fixture
def run(binding: str, tmp_path: Path) -> Iterator[Run]:
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "here.py").write_text(APP)
    (tmp_path / "data").write_text("one")
    with programs() as start:

        def serve(*arguments: str, **environment: str) -> Program:
            environment["WSGIBENCH_BACKEND"] = binding
            return start(
                serve_command(
                    *("here:app", "--port=0", "--pythonpath= code,nowhere"),
                    *arguments,
                ),
                environment,
                tmp_path,
            )

        yield serve


@pytest.mark.parametrize("workers", [(), ("--workers=2",)])
def test_variables_and_directories(run: Run, workers: tuple[str, ...]) -> None:
    program = run("-e", "COLOR=a = b", "--env=OTHER=", *workers)
    assert get(program.port()) == b"onea = b"
    assert program.stop() == 0, program.text
    program = run(WSGIBENCH_ENV="OTHER=2 COLOR=red")
    assert get(program.port()) == b"onered"
    assert program.stop() == 0, program.text


def test_a_name_for_ps(run: Run) -> None:
    pytest.importorskip("setproctitle")
    program = run("--name=mysite")
    program.port()
    for pid in (program.pid, *children(program.pid)):
        title = Path("/proc/%d/cmdline" % pid).read_bytes()
        assert title.rstrip(b"\0") == b"mysite"
    assert program.stop() == 0, program.text


def test_reload_when_another_file_changes(run: Run, tmp_path: Path) -> None:
    (tmp_path / "extra").write_text("")
    program = run("--reload", "--reload-extra-file=extra")
    port = program.port()
    assert get(port) == b"one"
    (before,) = children(program.pid)
    (tmp_path / "extra").write_text("changed")
    program.line("extra changed")
    until(lambda: children(program.pid) - {before}, "no new worker")
    assert get(port) == b"one"
    assert program.stop() == 0, program.text


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("here:app",), 0, "here:app can be imported"),
        (("here:app", "--factory"), 1, "here:app failed"),
        (("here:other",), 2, "no attribute 'other'"),
        (("here:app", "--workers=0"), 2, "workers must be"),
        (("here:app", "--max-head=1000000"), 2, "max_head is 0 to"),
        (("here:app", "--user=no-such-user"), 2, "no user"),
        (("here:app", "--certfile=none.pem"), 2, "none.pem"),
        (("here:app", "--env=COLOR"), 2, "env is NAME=VALUE"),
        (("here:app", "--env==red"), 2, "env is NAME=VALUE"),
        (("here:app", "--reload-extra-file=x"), 2, "without reload"),
    ],
)
def test_check_config(
    binding: str,
    tmp_path: Path,
    arguments: tuple[str, ...],
    code: int,
    words: str,
) -> None:
    (tmp_path / "here.py").write_text(APP)
    done = subprocess.run(
        serve_command("--check-config", *arguments),
        env=child_environment({"WSGIBENCH_BACKEND": binding}),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == code, done.stderr
    assert words in (done.stderr if code else done.stdout)
    assert done.stderr.count("\n") == bool(code) or code == 1
