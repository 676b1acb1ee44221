"""Standard error is gone, broken or closed: the server goes on."""

from __future__ import annotations

import contextlib
import http.client
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Callable

import pytest

from tests.native.process import Program, get, programs

APP = '''
import os, sys, threading
from wsgibench import Server

class Raises:
    """As a logging stream whose target has gone away."""
    def write(self, text):
        raise RuntimeError("nobody can write here")
    flush = write

def spoil(how):
    if how == "none":
        sys.stderr = None
    elif how == "raises":
        sys.stderr = Raises()
    elif how == "closed":
        sys.stderr.close()
    elif how == "closed-descriptor":
        os.close(2)
    elif how == "broken-pipe":
        out, into = os.pipe()
        os.dup2(into, 2)
        os.close(into)
        os.close(out)

def short(environ, start_response):
    start_response("200 OK", [("Content-Length", "100")])
    return [b"short"] if environ["QUERY_STRING"] else iter([b"short"])

def fail(environ, start_response):
    raise ValueError("on purpose")

def close_fails(environ, start_response):
    class Body(list):
        def close(self):
            raise ValueError("on purpose")
    start_response("200 OK", [])
    return Body([b"x"])

def close_errors(environ, start_response):
    if environ["wsgi.errors"]:
        environ["wsgi.errors"].close()
    raise ValueError("on purpose")

def hello(environ, start_response):
    environ["wsgi.errors"].flush() if environ["QUERY_STRING"] else None
    start_response("200 OK", [("Content-Length", "5")])
    return [b"hello"]

PATHS = {"/short": short, "/fail": fail, "/close": close_fails,
         "/errors": close_errors, "/": hello}

def application(environ, start_response):
    return PATHS[environ["PATH_INFO"]](environ, start_response)

if __name__ == "__main__":
    spoil(sys.argv[1])
    with Server(application, port=0, threads=int(sys.argv[2])) as server:
        print(server.address[1], flush=True)
        threading.Event().wait()
'''

Run = Callable[..., Program]


@pytest.fixture
def run(binding: str, tmp_path: Path) -> Iterator[Run]:
    script = tmp_path / "an_app.py"
    script.write_text(APP)
    with programs() as start:

        def serve(*arguments: str) -> Program:
            return start(
                [sys.executable, str(script), *arguments],
                {"WSGIBENCH_BACKEND": binding},
                tmp_path,
            )

        yield serve


HOW = ["none", "raises", "closed", "closed-descriptor", "broken-pipe", "well"]


@pytest.mark.parametrize("threads", ["0", "2"])
@pytest.mark.parametrize("how", HOW)
def test_it_goes_on(run: Run, how: str, threads: str) -> None:
    server = run(how, threads)
    assert server.process.stdout is not None
    port = int(server.process.stdout.readline())
    for path in ("/short", "/short?1", "/fail", "/close", "/errors", "/fail"):
        for _ in range(3):  # more often than there are threads
            with contextlib.suppress(OSError, http.client.HTTPException):
                get(port, path)
        assert get(port, "/") == b"hello"
    assert server.process.poll() is None
