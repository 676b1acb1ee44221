"""python -m wsgibench target: a server that stays until it is told to end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest


def _is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_with_its_server_and_leaves_nothing(
    number: signal.Signals, tmp_path: Path
) -> None:
    """A terminal sends Ctrl-C to all processes of the group, kill to one."""
    with subprocess.Popen(
        [sys.executable, "-m", "wsgibench", "target", "wsgiref", "hello"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        url = process.stdout.readline().strip()
        line = ""
        while not line.startswith("process "):  # an environment may be made
            line = process.stderr.readline()
            assert line, process.wait()
        server = int(line.split()[1].rstrip(";"))
        with urllib.request.urlopen(url) as answer:
            assert answer.status == 200
        if number == signal.SIGINT:
            os.killpg(process.pid, number)
        else:
            process.send_signal(number)
        _, said = process.communicate(timeout=60)
    assert (process.returncode, said) == (0, "")
    assert _is_gone(server)  # not even a zombie
    assert not list(tmp_path.iterdir())
