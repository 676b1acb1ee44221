"""What tests of `serve` share: the application, and what is asked of it. The
fixtures `run`, `run_app` and `gunicorn` are in conftest.py."""

from __future__ import annotations

import http.client
import os
import socket
from pathlib import Path
from typing import Callable

from tests.native.process import Program, children, get, until

APP = """
import os, time

VERSION = "one"

def application(environ, start_response):
    path = environ["PATH_INFO"]
    if path == "/wait":
        open(environ["QUERY_STRING"], "w").close()
        while os.path.exists(environ["QUERY_STRING"]):
            time.sleep(0.01)
    if path == "/die":
        os._exit(9)
    if path == "/raise":
        raise ValueError("from the application")
    if path == "/ids":
        mask = os.umask(0)
        os.umask(mask)
        body = "%d %d %o %s" % (os.getuid(), os.getgid(), mask, os.getcwd())
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [body.encode()]
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [("%d %s" % (os.getpid(), VERSION)).encode()]
"""

Run = Callable[..., Program]


def worker_of(port: int) -> int:
    return int(get(port).split()[0])


def ask(port: int, flag: Path) -> http.client.HTTPConnection:
    """A request that is answered when the file `flag` is removed."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", "/wait?%s" % flag)
    until(flag.exists, "the application was not called")
    return connection


def change(path: Path, old: str, new: str) -> None:
    """As an editor does: a new file in the place of the old."""
    spare = path.with_suffix(".new")
    spare.write_text(path.read_text().replace(old, new))
    os.replace(spare, path)


def ask_unix(address: str) -> bytes:
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(30)
        sock.connect(address)
        sock.sendall(b"GET / HTTP/1.0\r\n\r\n")
        return sock.makefile("rb").read()


def status_of(port: int, path: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", path)
    status = connection.getresponse().status
    connection.close()
    return status


def until_replaced(program: Program, workers: set[int]) -> None:
    until(
        lambda: not (children(program.pid) & workers),
        "the old workers live on",
    )


def until_there_are(program: Program, workers: int) -> None:
    until(
        lambda: len(children(program.pid)) == workers,
        "not %d workers" % workers,
    )


def port_of(program: Program) -> int:
    """Of gunicorn, which has a worker then."""
    line = program.line("Listening at: http")
    program.line("Booting worker")
    return int(line.split(" (")[0].rpartition(":")[2])
