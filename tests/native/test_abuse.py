"""Applications that do what they should not (cases/abuse)."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.wire.target import child_environment


@pytest.mark.parametrize("version", ["1.1", "1.0"])
@pytest.mark.parametrize("threads", ["0", "2"])
def test_abuse(binding: str, threads: str, version: str) -> None:
    """All of them in one process: most of it is its start."""
    done = subprocess.run(
        [
            *(sys.executable, "-m", "tests.native.cases.abuse"),
            *("all", threads, version),
        ],
        env=child_environment({"WSGIBENCH_BACKEND": binding}),
        cwd=Path(__file__).resolve().parents[2],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert "SystemError" not in done.stderr
    assert done.returncode == 0, done.stderr[-5000:]
    assert done.stdout.endswith("fine\n")
