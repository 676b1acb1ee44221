"""--drain-delay and --health-path."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

import pytest

from tests.native.process import (
    children,
    programs,
    refused,
    until,
)
from tests.native.serving import (
    APP,
    Run,
    status_of,
    worker_of,
)


@pytest.mark.parametrize(
    "arguments", [(), ("--workers=2",), ("--threads=2", "--workers=2")]
)
@pytest.mark.parametrize("to_all", [False, True])
def test_drain_delay(
    run: Run, arguments: tuple[str, ...], to_all: bool
) -> None:
    """It goes on serving, while its health path tells that it will not."""
    program = run(
        "an_app", "--port=0", "--drain-delay=2", "--health-path=/health",
        *arguments,
    )  # fmt: skip
    port = program.port()
    assert status_of(port, "/health") == 200
    started = time.monotonic()
    if to_all:
        os.killpg(program.pid, signal.SIGTERM)
    else:
        program.process.send_signal(signal.SIGTERM)
    until(lambda: status_of(port, "/health") == 503, "it is healthy")
    assert status_of(port, "/") == 200
    assert program.wait() == 0, program.text
    assert time.monotonic() - started >= 1.9
    assert refused(port)


def test_drain_delay_of_a_server_alone(binding: str, tmp_path: Path) -> None:
    (tmp_path / "an_app.py").write_text(APP)
    code = (
        "import an_app, wsgibench\n"
        "wsgibench.serve(an_app.application, port=0, announce=True,\n"
        "    drain_delay=2, health_path='/health')\n"
    )
    with programs() as start:
        program = start(
            [sys.executable, "-c", code],
            {"WSGIBENCH_BACKEND": binding},
            tmp_path,
        )
        port = program.port()
        program.process.send_signal(signal.SIGTERM)
        until(lambda: status_of(port, "/health") == 503, "it is healthy")
        assert status_of(port, "/") == 200
        assert program.wait() == 0
        assert refused(port)


def test_a_reload_is_no_end_for_the_health_path(run: Run) -> None:
    program = run(
        "an_app", "--port=0", "--drain-delay=60", "--health-path=/health"
    )
    port = program.port()
    first = worker_of(port)
    program.process.send_signal(signal.SIGHUP)

    def replaced() -> bool:
        assert status_of(port, "/health") == 200
        return worker_of(port) != first and first not in children(program.pid)

    until(replaced, "it was not replaced")
    # A worker that is told alone is one to be replaced, too.
    second = worker_of(port)
    os.kill(second, signal.SIGTERM)
    until(lambda: second not in children(program.pid), "it was not replaced")
    assert worker_of(port) != second
    program.process.send_signal(signal.SIGTERM)
    program.line("stopping")
    assert program.stop() == 0  # the second ends at once
