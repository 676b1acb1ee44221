"""What ends a server from within its application (cases/leaving.py)."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.native.cases import leaving
from tests.native.process import get, programs, run_case

COMBINATIONS = [
    (name, threads)
    for name in leaving.CASES
    for threads in (0, 2)
    if threads == 0 or name not in leaving.LOOP_ONLY
]


@pytest.mark.parametrize(("name", "threads"), COMBINATIONS)
def test_leaving(binding: str, name: str, threads: int) -> None:
    run_case(binding, "leaving", name, threads)


SERVE = """
import sys
from wsgibench import serve

def app(environ, start_response):
    if environ["PATH_INFO"] == "/exit":
        sys.exit(7)
    if environ["PATH_INFO"] == "/interrupt":
        raise KeyboardInterrupt
    start_response("200 OK", [("Content-Length", "1")])
    return [b"x"]

try:
    serve(app, port=0, threads=int(sys.argv[1]), announce=True)
except KeyboardInterrupt:
    print("interrupted", file=sys.stderr)
    sys.exit(8)
"""


@pytest.mark.parametrize("threads", [0, 2])
@pytest.mark.parametrize(("path", "code"), [("/exit", 7), ("/interrupt", 8)])
def test_out_of_serve(
    binding: str, tmp_path: Path, threads: int, path: str, code: int
) -> None:
    script = tmp_path / "script.py"
    script.write_text(SERVE)
    with programs() as start:
        server = start(
            [sys.executable, str(script), str(threads)],
            {"WSGIBENCH_BACKEND": binding},
        )
        port = server.port()
        assert get(port) == b"x"
        assert b"500" in get(port, path)
        assert server.wait() == code
