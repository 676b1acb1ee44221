"""The disk on which `serve` keeps large bodies is full."""

from __future__ import annotations

import contextlib
import http.client
import subprocess
from pathlib import Path

import pytest

from tests.native.process import (
    programs,
    serve_command,
    until,
)
from tests.native.serving import (
    APP,
    Run,
)


def test_a_full_disk_for_bodies_is_told(run: Run) -> None:
    try:
        mounted = subprocess.run(
            ["unshare", "-m", "true"], capture_output=True
        )
    except FileNotFoundError:
        pytest.skip("no unshare")
    if mounted.returncode:
        pytest.skip("no mount namespaces here")
    command = " ".join(serve_command("an_app", "--port=0"))
    program = run(
        command=[
            "unshare", "-m", "sh", "-c",
            "mount -t tmpfs -o size=4k x /mnt && "
            "head -c 4096 /dev/zero > /mnt/full; "
            "exec %s --temp-dir=/mnt" % command,
        ],
    )  # fmt: skip
    assert program.wait() == 1
    assert "/mnt" in program.lines[-1]


def test_a_disk_that_becomes_full_is_told(
    binding: str, tmp_path: Path
) -> None:
    """Here: files may have 64 blocks. Smaller bodies go on."""
    (tmp_path / "an_app.py").write_text(APP)
    errors = tmp_path / "errors"
    command = serve_command(
        "an_app", "--port=0", "--body-memory=1000", "--error-log=errors"
    )
    with programs() as start:
        program = start(
            ["sh", "-c", "ulimit -f 64; exec " + " ".join(command)],
            {"WSGIBENCH_BACKEND": binding},
            tmp_path,
        )
        until(lambda: errors.exists() and ":" in errors.read_text(), "no line")
        port = int(errors.read_text().split(" (")[0].rpartition(":")[2])
        for size, status in ((5000, 200), (500_000, 500), (5000, 200)):
            connection = http.client.HTTPConnection("127.0.0.1", port)
            with contextlib.suppress(OSError):  # the answer came first
                connection.request("POST", "/", bytes(size))
            assert connection.getresponse().status == status
            connection.close()
        assert program.stop() == 0
        assert "its body cannot be kept in" in errors.read_text()
        assert program.text == ""
