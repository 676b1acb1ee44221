"""Workers of `serve`: how many, how they are made and replaced."""

from __future__ import annotations

import os
import shutil
import signal
import time
from pathlib import Path

import pytest

from tests.native import serving
from tests.native.process import (
    children,
    get,
    until,
)
from tests.native.serving import (
    Run,
    status_of,
    worker_of,
)
from wsgibench.native.identity import cpus


def test_max_requests(run_app: Run) -> None:
    program = run_app("--max-requests=5", "--max-requests-jitter=2")
    port = program.port()
    first = worker_of(port)
    until(lambda: worker_of(port) != first, "it was not replaced")
    second = worker_of(port)
    until(lambda: worker_of(port) != second, "it was not replaced")
    assert program.stop() == 0, program.text


def test_workers_auto(run_app: Run) -> None:
    program = run_app("--workers=auto")
    program.port()
    assert len(children(program.pid)) == cpus()
    assert program.stop() == 0, program.text


@pytest.mark.parametrize(
    ("membership", "files"),
    [
        ("0::/a.slice/b.service", {"a.slice/cpu.max": "50000 100000"}),
        ("0::/", {"cpu.max": "100000 100000"}),
        (
            "3:cpu,cpuacct:/docker/x\n2:memory:/docker/y",
            {
                "cpu,cpuacct/docker/x/cpu.cfs_quota_us": "90000",
                "cpu,cpuacct/docker/x/cpu.cfs_period_us": "100000",
            },
        ),
    ],
)
def test_quotas_of_control_groups(
    tmp_path: Path, membership: str, files: dict[str, str]
) -> None:
    (tmp_path / "membership").write_text(membership + "\n")
    for name, text in files.items():
        path = tmp_path / "root" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    here = str(tmp_path / "membership"), str(tmp_path / "root")
    assert cpus(*here) == 1
    for name in files:
        (tmp_path / "root" / name).write_text("max 100000")
    assert cpus(*here) == cpus("/nowhere") >= 1


def test_preload_imports_once(run_app: Run, tmp_path: Path) -> None:
    (tmp_path / "counted.py").write_text(
        "import os\n"
        "from an_app import application\n"
        "with open('imports', 'a') as file:\n"
        "    file.write('%d\\n' % os.getpid())\n"
    )
    program = run_app("--workers=2", "--preload", app="counted")
    program.port()
    pids = (tmp_path / "imports").read_text().split()
    assert pids == [str(program.pid)]
    assert program.stop() == 0
    (tmp_path / "imports").unlink()
    program = run_app("--workers=2", app="counted")
    program.port()
    pids = (tmp_path / "imports").read_text().split()
    assert len(set(pids)) == 2
    assert str(program.pid) not in pids
    assert program.stop() == 0


FACTORY = """
from an_app import application

def create_app(name="default"):
    def app(environ, start_response):
        environ["PATH_INFO"] = "/"
        return application(environ, start_response)
    assert name in ("default", "other")
    return app

def needs(name):
    raise RuntimeError("it was called")

async def asgi(scope, receive, send):
    pass
"""


@pytest.mark.parametrize(
    ("app", "arguments"),
    [
        ("fac:create_app()", ()),
        ("fac:create_app", ("--factory",)),
        ("fac:create_app('other')", ()),
        ("fac:create_app(name='other')", ("--workers=2",)),
    ],
)
def test_factory(
    run_app: Run, tmp_path: Path, app: str, arguments: tuple[str, ...]
) -> None:
    (tmp_path / "fac.py").write_text(FACTORY)
    program = run_app(*arguments, app=app)
    assert get(program.port()).endswith(b" one")
    assert program.stop() == 0


@pytest.mark.parametrize(
    ("app", "code", "words"),
    [
        ("fac:create_app", 2, "--factory"),
        ("fac:asgi", 2, "ASGI"),
        ("fac:create_app(name", 2, "no attribute"),
        ("fac:create_app(x)", 2, "literal"),
        ("fac:needs('x')", 1, "it was called"),
        ("exits", 1, "SystemExit"),
        ("dies", 1, "while it started"),
    ],
)
@pytest.mark.parametrize("arguments", [(), ("--workers=2",)])
def test_what_cannot_start_is_told_in_a_sentence(
    run_app: Run,
    tmp_path: Path,
    app: str,
    code: int,
    words: str,
    arguments: tuple[str, ...],
) -> None:
    (tmp_path / "fac.py").write_text(FACTORY)
    (tmp_path / "exits.py").write_text("raise SystemExit('no database')\n")
    (tmp_path / "dies.py").write_text("import os; os._exit(7)\n")
    program = run_app(*arguments, app=app)
    assert program.wait() == code, program.text
    assert program.lines[-1].startswith("wsgibench: ")
    assert program.lines[-1].endswith((".", "()."))
    assert words in program.lines[-1]


def test_many_crashes_are_no_overflow() -> None:
    """1,024 quick deaths in a row were one too many."""
    from wsgibench.native.workers import MAX_PAUSE, Supervisor

    supervisor = Supervisor(lambda *_: None, workers=1, grace=1.0)
    for _ in range(3000):
        supervisor._pause()
    assert supervisor._not_before - time.monotonic() <= MAX_PAUSE


def test_what_exits_in_a_request_is_told_with_its_request(
    run_app: Run, tmp_path: Path
) -> None:
    (tmp_path / "app.py").write_text(
        "import sys\n\ndef application(environ, start_response):\n"
        "    if environ['PATH_INFO'] == '/exit':\n        sys.exit(3)\n"
        "    start_response('200 OK', [])\n    return [b'x']\n"
    )
    program = run_app(app="app")
    port = program.port()
    assert status_of(port, "/exit?a=b") == 500
    program.line("a worker failed")
    assert "GET /exit?a=b failed: SystemExit" in program.text
    assert program.text.count("Traceback") == 1
    program.line("replacing it")
    assert get(port) == b"x"
    assert program.stop() == 0, program.text


def test_a_directory_that_is_gone_is_told_in_a_sentence(
    run_app: Run, tmp_path: Path
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    (gone / "here.py").write_text(serving.APP)
    program = run_app("--chdir", str(gone), app="here")
    port = program.port()
    first = worker_of(port)
    shutil.rmtree(gone)
    os.kill(first, signal.SIGKILL)
    program.line("the current directory was deleted")
    assert "Traceback" not in program.text
    program.stop()
