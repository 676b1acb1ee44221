"""Applications on gevent and eventlet."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import pytest

from tests.native.process import (
    children,
    get,
    until,
)
from tests.native.serving import (
    Run,
    ask,
)

PATCHED = {
    "gevent": "from gevent import monkey; monkey.patch_all()\n",
    "eventlet": "import eventlet; eventlet.monkey_patch()\n",
}


def write_patched(folder: Path, library: str) -> None:
    pytest.importorskip(library)
    (folder / "patched.py").write_text(
        PATCHED[library] + "import time\n"
        "from an_app import application as inner\n"
        "def application(environ, start_response):\n"
        "    time.sleep(0.01)\n"
        "    return inner(environ, start_response)\n"
    )


@pytest.mark.parametrize("library", sorted(PATCHED))
def test_threads_of_a_patched_library_are_refused(
    run: Run, tmp_path: Path, library: str
) -> None:
    """Their greenlets block each other, sooner or later."""
    write_patched(tmp_path, library)
    program = run("patched", "--port=0", "--threads=4")
    assert program.wait() == 2
    assert library in program.lines[-1]
    assert "threads=0" in program.lines[-1]


@pytest.mark.parametrize("library", sorted(PATCHED))
@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--hang-timeout=1",),
        ("--hang-timeout=1", "--workers=2"),
        ("--drain-delay=0.1",),
    ],
)
def test_an_application_that_patches_the_library(
    run: Run, tmp_path: Path, library: str, arguments: tuple[str, ...]
) -> None:
    write_patched(tmp_path, library)
    program = run("patched", "--port=0", *arguments)
    port = program.port()
    before = children(program.pid)
    answers: list[Any] = []

    def client() -> None:
        for _ in range(5):
            answers.append(get(port))

    threads = [threading.Thread(target=client) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 20, program.text
    assert all(answer.endswith(b" one") for answer in answers)
    if any("hang" in argument for argument in arguments):
        end = time.monotonic() + 2.5  # idle, longer than the hang timeout
        until(lambda: time.monotonic() > end, "never")
    assert children(program.pid) == before, program.text
    assert program.stop() == 0, program.text
    assert "stuck" not in program.text


def test_a_request_that_waits_is_found(run: Run, tmp_path: Path) -> None:
    """Two addresses: one is stuck, the other not."""
    program = run(
        "an_app", "--bind=127.0.0.1:0", "--bind=127.0.0.1:0", "--threads=1"
    )
    until(lambda: program.text.count("serving on") == 2, "not two")
    ports = [
        int(line.split(" (")[0].rpartition(":")[2])
        for line in program.lines
        if "http://" in line
    ]
    flag = tmp_path / "flag"
    connection = ask(ports[0], flag)
    assert get(ports[1]).endswith(b" one")
    flag.unlink()
    assert connection.getresponse().status == 200
    assert program.stop() == 0
