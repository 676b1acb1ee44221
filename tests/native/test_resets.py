"""An answer that is cut off never looks whole: its client gets a reset, and
over TLS no word of an orderly end."""

from __future__ import annotations

import contextlib
import os
import socket
import ssl
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable

import pytest

from tests.native.process import programs, serve_command
from tests.native.test_tls import certificate  # noqa: F401

Start = Callable[..., Any]
CLIENTS = 60
HTTP_1_0 = b"GET %s HTTP/1.0\r\n\r\n"


def app(environ: dict[str, Any], start_response: Any) -> Any:
    path = environ["PATH_INFO"]
    fields = [("Content-Type", "text/plain")]
    if path == "/length":
        fields.append(("Content-Length", "100"))
    write = start_response("200 OK", fields)
    if path == "/write":
        write(b"part of it")
        raise RuntimeError("in the middle")
    return parts(path)


def parts(path: str) -> Iterator[bytes]:
    yield b"part of it"
    if path == "/child":
        child = os.fork()
        if child == 0:  # holds copies of all descriptors for a while
            time.sleep(60)
            os._exit(0)
        yield b"%d" % child
    if path in ("/raise", "/child"):
        raise RuntimeError("in the middle")


@pytest.fixture(params=[0, 2], ids=["loop", "threads"])
def settings(request: pytest.FixtureRequest) -> dict[str, Any]:
    return {"threads": request.param}


def end_of(sock: socket.socket, path: bytes) -> tuple[bytes, str]:
    """What came, and how it ended."""
    data = b""
    with contextlib.closing(sock):
        sock.sendall(HTTP_1_0 % path)
        while True:
            try:
                piece = sock.recv(65536)
            except ssl.SSLError:
                return data, "cut off"
            except ConnectionResetError:
                return data, "reset"
            if not piece:
                return data, "end"
            data += piece


@pytest.mark.parametrize("path", [b"/raise", b"/write", b"/length"])
def test_every_client_gets_a_reset(
    serve_app: Start, settings: dict[str, Any], path: bytes
) -> None:
    server = serve_app(app, **settings)
    for _ in range(CLIENTS):
        sock = socket.create_connection(server.address[:2], 20)
        assert end_of(sock, path)[1] == "reset"
    sock = socket.create_connection(server.address[:2], 20)
    data, end = end_of(sock, b"/whole")
    assert end == "end"
    assert data.endswith(b"part of it")


@pytest.mark.parametrize("path", [b"/raise", b"/length"])
def test_no_close_notify(
    serve_app: Start,
    settings: dict[str, Any],
    certificate: Any,  # noqa: F811
    path: bytes,
) -> None:
    cert, key = certificate
    server = serve_app(app, certfile=cert, keyfile=key, **settings)
    context = ssl.create_default_context(cafile=cert)
    for wanted, asked in (({"cut off", "reset"}, path), ({"end"}, b"/whole")):
        sock = context.wrap_socket(
            socket.create_connection(server.address[:2], 20),
            server_hostname="localhost",
            suppress_ragged_eofs=False,
        )
        assert end_of(sock, asked)[1] in wanted


def test_while_a_child_holds_the_descriptor(
    serve_app: Start, settings: dict[str, Any]
) -> None:
    server = serve_app(app, **settings)
    sock = socket.create_connection(server.address[:2], 20)
    data, end = end_of(sock, b"/child")
    child = int(data.partition(b"part of it")[2] or b"0")
    if child:
        os.kill(child, 9)
        os.waitpid(child, 0)
    assert end == "reset"


# PyPy's os.abort() returns where another thread gets the signal.
DYING = """
import os, signal, time

DEATHS = {
    "/kill": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "/exit": lambda: os._exit(0),
    "/abort": os.abort,
}

def application(environ, start_response):
    start_response("200 OK", [])
    yield b"part of it"
    if environ["PATH_INFO"] in DEATHS:
        DEATHS[environ["PATH_INFO"]]()
        time.sleep(20)
"""


@pytest.mark.parametrize("threads", ["--threads=0", "--threads=2"])
def test_a_worker_that_dies(
    binding: str, tmp_path: Path, threads: str
) -> None:
    """The kernel ends its connections, and no answer looks whole then."""
    (tmp_path / "an_app.py").write_text(DYING)
    with programs() as start:
        server = start(
            serve_command("an_app:application", "--port=0", threads),
            {"WSGIBENCH_BACKEND": binding},
            tmp_path,
        )
        address = "127.0.0.1", server.port()
        for path in (b"/kill", b"/exit", b"/abort"):
            sock = socket.create_connection(address, 20)
            assert end_of(sock, path)[1] == "reset", path
            sock = socket.create_connection(address, 20)
            data, end = end_of(sock, b"/")
            assert end == "end"
            assert data.endswith(b"part of it")
        assert server.stop() == 0
