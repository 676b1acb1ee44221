"""The application forks: what a child does with what it inherited, the parent
does not feel."""

from __future__ import annotations

import http.client
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Callable

import pytest

from tests.native.process import (
    Program,
    get,
    gunicorn_command,
    programs,
    serve_command,
)

APP = '''
import multiprocessing, os, signal, subprocess, sys, time, traceback

fork = multiprocessing.get_context("fork")

def plain(start_response, text):
    body = str(text).encode()
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]

def wait(pid):
    """Its exit code, or minus the signal that ended it."""
    status = os.waitpid(pid, 0)[1]
    if os.WIFSIGNALED(status):
        return -os.WTERMSIG(status)
    return os.WEXITSTATUS(status)

def child(leave):
    def app(environ, start_response):
        pid = os.fork()
        if pid == 0:
            return leave(start_response)
        return plain(start_response, wait(pid))
    return app

def fail(start_response):
    raise ValueError("in the child")

def return_something(start_response):
    return plain(start_response, "from the child")

def yield_something(start_response):
    start_response("200 OK", [])
    return iter([b"from", b"the", b"child"])

def write_something(start_response):
    start_response("200 OK", [])(b"from the child")
    return []

def read_something(start_response):
    ENVIRON["wsgi.input"].read()
    return plain(start_response, "from the child")

def die_by_term(start_response):
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(60)

def terminate(environ, start_response):
    process = fork.Process(target=time.sleep, args=(3600,))
    process.start()
    process.terminate()
    process.join()
    return plain(start_response, process.exitcode)

def pool(environ, start_response):
    with fork.Pool(2) as some:
        return plain(start_response, sum(some.map(abs, [-1, -2, -3])))

def run(environ, start_response):
    command = [sys.executable, "-c", "print(42)"]
    preexec = os.setsid if environ["QUERY_STRING"] else None
    output = subprocess.check_output(command, preexec_fn=preexec)
    return plain(start_response, output.decode().strip())

def hello(environ, start_response):
    return plain(start_response, os.getpid())

ENVIRON = {}
PATHS = {
    "/": hello,
    "/terminate": terminate,
    "/pool": pool,
    "/run": run,
    "/exit": child(lambda start: sys.exit(3)),
    "/_exit": child(lambda start: os._exit(4)),
    "/fail": child(fail),
    "/return": child(return_something),
    "/yield": child(yield_something),
    "/write": child(write_something),
    "/read": child(read_something),
    "/term": child(die_by_term),
}

def application(environ, start_response):
    ENVIRON.update(environ)
    return PATHS[environ["PATH_INFO"]](environ, start_response)
'''

Run = Callable[..., Program]


@pytest.fixture
def run(binding: str, tmp_path: Path) -> Iterator[Run]:
    (tmp_path / "an_app.py").write_text(APP)
    with programs() as start:

        def serve(*arguments: str, supervisor: str = "ours") -> Program:
            command = serve_command("--port=0")
            if supervisor == "gunicorn":
                command = gunicorn_command("127.0.0.1:0")
            return start(
                [*command, *arguments, "an_app:application"],
                {"WSGIBENCH_BACKEND": binding},
                tmp_path,
            )

        yield serve


threads = pytest.mark.parametrize("threads", ["--threads=0", "--threads=2"])


@threads
def test_a_child_can_be_terminated(run: Run, threads: str) -> None:
    server = run(threads)
    port = server.port()
    me = get(port, "/")
    for _ in range(3):
        assert get(port, "/terminate") == b"%d" % -signal.SIGTERM
        assert get(port, "/term") == b"%d" % -signal.SIGTERM
    assert get(port, "/") == me
    assert server.stop() == 0


@threads
def test_pools_of_processes(run: Run, threads: str) -> None:
    server = run(threads)
    port = server.port()
    for _ in range(10):
        assert get(port, "/pool") == b"6"
    assert server.stop() == 0


@threads
@pytest.mark.parametrize("query", ["", "?preexec"])
def test_programs(run: Run, threads: str, query: str) -> None:
    server = run(threads)
    assert get(server.port(), "/run" + query) == b"42"
    assert server.stop() == 0


ENDS = {
    "/exit": {b"3"},
    "/_exit": {b"4"},
    "/fail": {b"1"},
    "/return": {b"1"},
    "/yield": {b"1"},
    "/write": {b"1"},
    "/read": {b"1"},
}


@threads
@pytest.mark.parametrize("supervisor", ["ours", "gunicorn"])
def test_how_a_child_leaves(run: Run, threads: str, supervisor: str) -> None:
    """One answer on each connection, the parent's, and it goes on."""
    server = run(threads, supervisor=supervisor)
    port = server.port()
    kept = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def ask(path: str, body: bytes | None = None) -> bytes:
        kept.request("GET" if body is None else "POST", path, body)
        return kept.getresponse().read()

    me = get(port, "/")
    other = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    other.connect()
    for path, codes in ENDS.items():
        assert ask("/") == me
        assert ask(path, b"some body") in codes, path
        assert ask("/") == me, path
    other.request("GET", "/")
    assert other.getresponse().read() == me
    assert get(port, "/") == me
    assert server.stop() == 0
    other.close()
    kept.close()


def test_each_answer_is_logged_once(run: Run, tmp_path: Path) -> None:
    server = run("--access-log=log")
    port = server.port()
    for path in ("/", "/exit", "/return", "/"):
        get(port, path)
    assert server.stop() == 0
    lines = (tmp_path / "log").read_text().splitlines()
    assert [line.split('"')[1].split()[1] for line in lines] == [
        "/",
        "/exit",
        "/return",
        "/",
    ]
