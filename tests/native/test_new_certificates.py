"""SIGHUP reads certificates again."""

from __future__ import annotations

import shutil
import signal
import ssl
import subprocess
import sys
from pathlib import Path

import pytest

from tests.native.process import (
    children,
    programs,
    until,
)
from tests.native.serving import (
    APP,
)


def make_certificate(folder: Path) -> None:
    """cert.pem and key.pem, new ones."""
    command = (
        "openssl req -x509 -newkey ec -nodes -days 2 -subj /CN=localhost "
        "-pkeyopt ec_paramgen_curve:prime256v1 -keyout key.pem -out cert.pem"
    )
    subprocess.run(
        command.split(), cwd=folder, check=True, capture_output=True
    )


@pytest.mark.parametrize("alone", [False, True])
def test_hup_reads_certificates_again(
    binding: str, tmp_path: Path, alone: bool
) -> None:
    """A server alone cannot load its code again, but its certificate."""
    if shutil.which("openssl") is None:
        pytest.skip("the openssl command makes the certificates")
    (tmp_path / "an_app.py").write_text(APP)
    make_certificate(tmp_path)
    code = (
        "import an_app, wsgibench\n"
        "wsgibench.serve(%s, port=0, announce=True, certfile='cert.pem',\n"
        "    keyfile='key.pem')\n"
        % ("an_app.application" if alone else "'an_app'")
    )
    with programs() as start:
        program = start(
            [sys.executable, "-c", code],
            {"WSGIBENCH_BACKEND": binding},
            tmp_path,
        )
        line = program.line("serving on https://")
        address = "127.0.0.1", int(line.split(" (")[0].rpartition(":")[2])
        first = ssl.get_server_certificate(address)
        assert first == (tmp_path / "cert.pem").read_text()
        make_certificate(tmp_path)
        old = children(program.pid)
        program.process.send_signal(signal.SIGHUP)
        second = (tmp_path / "cert.pem").read_text()
        until(
            lambda: ssl.get_server_certificate(address) == second,
            "the old certificate is served",
        )
        until(lambda: not old & children(program.pid), "an old worker stays")
        (tmp_path / "cert.pem").write_text("nonsense")
        program.process.send_signal(signal.SIGHUP)
        program.line("old certificates stay" if alone else "old workers go on")
        assert ssl.get_server_certificate(address) == second
        assert program.stop() == 0, program.text
