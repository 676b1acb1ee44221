"""Server.start() and stop(): whole, or refused and nothing has changed."""

from __future__ import annotations

import contextlib
import socket
import threading
from pathlib import Path
from typing import Any, Callable

import pytest

from tests.native.process import get
from tests.native.serving import Run
from wsgibench.errors import UsageError, WsgibenchError

Start = Callable[..., Any]


def hello(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    start_response("200 OK", [("Content-Length", "5")])
    return [b"hello"]


@pytest.mark.parametrize(
    "grace", [-1, float("nan"), float("inf"), 1e7, 10**400, "x", b"1"]
)
@pytest.mark.parametrize("unix", [False, True])
def test_a_stop_that_is_refused_changes_nothing(
    serve_app: Start, tmp_path: Path, grace: Any, unix: bool
) -> None:
    path = tmp_path / "s"
    server = serve_app(hello, bind="unix:%s" % path if unix else None)
    with pytest.raises(UsageError, match="grace is a number of seconds"):
        server.stop(grace)
    if unix:
        assert path.exists()
    else:
        assert get(server.address[1]) == b"hello"
    server.stop(True)
    with pytest.raises(ValueError, match="closed"):
        server.stats()


@pytest.mark.parametrize("threads", [1, 2])
def test_a_stop_ends_a_generator_that_never_does(
    serve_app: Start, threads: int
) -> None:
    """Its client takes all that comes, so the thread that serves it never
    waits in the loop, and hardly lets another one turn it."""
    closed = threading.Event()

    def endless(environ: dict[str, Any], start_response: Any) -> Any:
        start_response("200 OK", [])
        try:
            while True:
                yield b"more"
        finally:
            closed.set()

    server = serve_app(endless, threads=threads)
    with socket.create_connection(server.address, 60) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        client.recv(1)
        stop = threading.Thread(target=server.stop, args=(0.2,))
        stop.start()
        with contextlib.suppress(ConnectionResetError):
            while client.recv(1 << 20):
                pass
        assert closed.wait(60)
        stop.join()


def test_a_stop_without_a_limit(serve_app: Start) -> None:
    """It waits for the call that is under way."""
    called, go_on = threading.Event(), threading.Event()

    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        called.set()
        assert go_on.wait(60)
        return hello(environ, start_response)

    server = serve_app(app, threads=1)
    answers: list[bytes] = []
    client = threading.Thread(
        target=lambda: answers.append(get(server.address[1]))
    )
    client.start()
    assert called.wait(60)
    stopper = threading.Thread(target=server.stop, args=(None,))
    stopper.start()
    go_on.set()
    stopper.join(60)
    client.join(60)
    assert answers == [b"hello"]
    with pytest.raises(ValueError, match="closed"):
        server.stats()


class FewThreads:
    """The limit of a machine, or of its memory: so many threads can start."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, count: int) -> None:
        self.left = count
        self._start = threading.Thread.start
        monkeypatch.setattr(
            threading.Thread, "start", lambda thread: self.start(thread)
        )

    def start(self, thread: threading.Thread) -> None:
        if not self.left:
            raise RuntimeError("can't start new thread")
        self.left -= 1
        self._start(thread)


def test_all_threads_start_or_none(
    binding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from wsgibench import native
    from wsgibench.native.server import Server

    monkeypatch.setenv("WSGIBENCH_BACKEND", binding)
    native.binding.cache_clear()
    before = threading.active_count()
    server = Server(hello, port=0, threads=4)
    limit = FewThreads(monkeypatch, 2)
    with pytest.raises(WsgibenchError, match="can't start new thread"):
        server.start()
    assert threading.active_count() == before
    assert not server.core.stopped  # nothing has touched it
    limit.left = 10
    with server:
        assert get(server.address[1]) == b"hello"
    native.binding.cache_clear()


@pytest.mark.parametrize("end", ["stop", "close"])
def test_a_closed_server_does_not_start(serve_app: Start, end: str) -> None:
    server = serve_app(hello)
    getattr(server, end)()
    with pytest.raises(ValueError, match="the server is closed"):
        server.start()
    with pytest.raises(ValueError, match="the server is closed"):
        with server:
            pass


FEW = """
import threading

start, left = threading.Thread.start, [2]

def start_a_few(thread):
    if thread.name.startswith("wsgibench"):
        left[0] -= 1
        if left[0] < 0:
            raise RuntimeError("can't start new thread")
    start(thread)

threading.Thread.start = start_a_few
from an_app import application
"""


@pytest.mark.parametrize("arguments", [(), ("--workers=2",)])
def test_a_worker_is_ready_when_its_threads_are(
    run_app: Run, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    (tmp_path / "few.py").write_text(FEW)
    program = run_app("--threads=4", *arguments, app="few")
    assert program.wait() == 1
    assert "serving on" not in program.text
    assert "replacing it" not in program.text
    assert program.lines[-1].startswith("wsgibench: cannot start a thread (")
    assert program.lines[-1].endswith("can't start new thread.")
    assert "Traceback" not in program.text
