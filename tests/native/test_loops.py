"""serve(loops=N): several loops in one process, each in its own thread; and
the promise that a build without the GIL stays without it."""

from __future__ import annotations

import socket
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from tests.native.process import get, programs, serve_command
from wsgibench.native import gil

APP = """
import threading

asked = threading.Event()

def application(environ, start_response):
    write = start_response("200 OK", [("Content-Type", "text/plain")])
    if environ["PATH_INFO"] == "/wait":
        write(b"in")
        return [b", out" if asked.wait(20) else b", alone"]
    asked.set()
    return [str(environ["wsgi.multithread"]).encode()]
"""


def receive(sock: socket.socket, end: bytes) -> bytes:
    data = b""
    while not data.endswith(end):
        more = sock.recv(4096)
        assert more, data
        data += more
    return data


def test_loops_run_beside_each_other(binding: str, tmp_path: Path) -> None:
    """The first loop is in the application; the next connection is the
    other's, and what it is asked ends the wait of the first."""
    (tmp_path / "an_app.py").write_text(APP)
    arguments = ("an_app:application", "--port", "0", "--loops", "2")
    with programs() as start:
        program = start(
            serve_command(*arguments),
            {"WSGIBENCH_BACKEND": binding},
            directory=tmp_path,
        )
        port = program.port()
        assert ("GIL on: workers=2" in program.text) == gil.is_on()
        address = ("127.0.0.1", port)
        with socket.create_connection(address, 20) as held:
            held.sendall(b"GET /wait HTTP/1.0\r\n\r\n")
            receive(held, b"in")
            assert get(port) == b"True"
            receive(held, b", out")
        assert program.stop() == 0


@pytest.mark.skipif(
    not sysconfig.get_config_var("Py_GIL_DISABLED"),
    reason="this build of Python has a GIL in any case",
)
def test_the_extension_does_without_the_gil() -> None:
    """CPython turns it on, with a warning, for one that does not say so."""
    code = "import sys; from wsgibench.native import _capi, gil; "
    code += "sys.exit(gil.is_on())"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True
    )
    assert done.returncode == 0, done.stderr
