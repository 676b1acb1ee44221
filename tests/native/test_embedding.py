"""The server embedded: in other loops, threads, and beside other handlers of
signals."""

from __future__ import annotations

import asyncio
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable

import pytest

import wsgibench
from tests.native.process import Program, get, programs, until
from tests.wire.target import child_environment
from wsgibench import native
from wsgibench.errors import UsageError, WsgibenchError


def hello(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [environ["PATH_INFO"].encode("latin-1")]


@pytest.fixture
def make(
    binding: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., wsgibench.Server]]:
    """make(app, ...): a Server that nobody runs yet."""
    monkeypatch.setenv("WSGIBENCH_BACKEND", binding)
    native.binding.cache_clear()
    made: list[wsgibench.Server] = []

    def make_one(app: Any = hello, **settings: Any) -> wsgibench.Server:
        made.append(wsgibench.Server(app, port=0, **settings))
        return made[-1]

    yield make_one
    for server in made:
        server.close()
    native.binding.cache_clear()


def attach(server: Any, loop: asyncio.AbstractEventLoop) -> Callable[[], None]:
    """As docs/embedding.md says; what is returned detaches it."""
    timer: asyncio.TimerHandle | None = None

    def turn() -> None:
        nonlocal timer
        if timer is not None:
            timer.cancel()
        server.turn()
        delay = server.timeout()
        timer = None if delay is None else loop.call_later(delay, turn)

    def detach() -> None:
        loop.remove_reader(server.fileno())
        if timer is not None:
            timer.cancel()

    loop.add_reader(server.fileno(), turn)
    turn()
    return detach


async def ask(port: int, path: str, rest: bytes = b"\r\n\r\n") -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET %b HTTP/1.0" % path.encode() + rest)
    data = await reader.read()
    writer.close()
    return data


def test_two_servers_in_one_asyncio_loop(
    make: Callable[..., wsgibench.Server],
) -> None:
    """Clients and servers share one thread: neither ever blocks it."""

    def stream(environ: dict[str, Any], start_response: Any) -> Any:
        start_response("200 OK", [])
        return (b"x" * 65536 for _ in range(64))

    servers = [make(), make(stream)]

    async def main() -> None:
        loop = asyncio.get_running_loop()
        ends = [attach(server, loop) for server in servers]
        ports = [server.address[1] for server in servers]
        answers = await asyncio.gather(
            *(ask(ports[0], "/%d" % n) for n in range(100)),
            *(ask(ports[1], "/") for _ in range(5)),
        )
        for end in ends:
            end()
        for number, data in enumerate(answers[:100]):
            assert data.endswith(b"\r\n\r\n/%d" % number)
        for data in answers[100:]:
            assert data.count(b"x") == 64 * 65536

    asyncio.run(asyncio.wait_for(main(), 60))


def test_deadlines_under_asyncio(
    make: Callable[..., wsgibench.Server],
) -> None:
    """timeout() brings the loop back although no descriptor is ready."""
    server = make(head_timeout=0.3)

    async def main() -> bytes:
        loop = asyncio.get_running_loop()
        end = attach(server, loop)
        data = await ask(server.address[1], "/", b"\r\nHost")
        end()
        return data

    data = asyncio.run(asyncio.wait_for(main(), 60))
    assert data.startswith(b"HTTP/1.1 408 ")


def test_turn_ends_with_the_server(
    make: Callable[..., wsgibench.Server],
) -> None:
    server = make()
    assert server.turn(0) == 0
    server.core.stop(0)
    until(lambda: server.turn(0.1) == -1, "it has not stopped")
    assert server.turn(0) == -1


def test_wake_ends_a_turn(make: Callable[..., wsgibench.Server]) -> None:
    server = make(idle_timeout=0, head_timeout=0)
    assert server.turn(0) == 0
    done: list[int] = []
    thread = threading.Thread(target=lambda: done.append(server.turn(600)))
    thread.start()
    while thread.is_alive():
        server.core.wake()
        thread.join(0.01)
    assert done == [0]


def test_the_application_may_stop_the_server(
    make: Callable[..., wsgibench.Server],
) -> None:
    """The answer of that request still goes out."""

    def last(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        server.core.stop(5)
        return hello(environ, start_response)

    server = make(last)
    thread = threading.Thread(target=server.core.run)
    thread.start()
    assert get(server.address[1], "/end") == b"/end"
    thread.join(30)
    assert not thread.is_alive()


@pytest.mark.parametrize("threads", [0, 2])
def test_a_background_thread_runs_while_it_is_busy(
    make: Callable[..., wsgibench.Server], threads: int
) -> None:
    """And the server while the thread computes: neither starves."""
    server = make(threads=threads)
    counted = [0]
    over = threading.Event()

    def count() -> None:
        while not over.is_set():
            counted[0] += 1

    def load() -> None:
        with socket.create_connection(server.address, 30) as sock:
            while not over.is_set():
                sock.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n" * 8)
                sock.recv(65536)

    helpers = [threading.Thread(target=t) for t in (count, load, load)]
    server.start()
    for helper in helpers:
        helper.start()
    try:
        until(lambda: server.stats()["responses"] > 1000, "no answers")
        seen, answered = counted[0], server.stats()["responses"]
        until(lambda: counted[0] > seen + 10000, "the thread starves")
        until(
            lambda: server.stats()["responses"] > answered + 100,
            "the server starves",
        )
    finally:
        over.set()
        for helper in helpers:
            helper.join()
        server.stop()


def test_servers_in_threads_of_their_own(
    make: Callable[..., wsgibench.Server],
) -> None:
    """run() in any thread; stop() from another."""
    servers = [make() for _ in range(4)]
    threads = [threading.Thread(target=s.core.run) for s in servers]
    for thread in threads:
        thread.start()
    for _ in range(20):
        for server in servers:
            assert get(server.address[1], "/n") == b"/n"
    for server, thread in zip(servers, threads):
        server.core.stop(5)
        thread.join(30)
        assert not thread.is_alive()


def test_closed_twice_and_used_afterwards(
    make: Callable[..., wsgibench.Server],
) -> None:
    server = make()
    server.close()
    server.close()
    with pytest.raises(ValueError, match="closed"):
        server.turn()
    server.core.stop(0)  # from a signal handler that came late
    server.core.wake()


def test_started_twice(make: Callable[..., wsgibench.Server]) -> None:
    server = make()
    server.start()
    with pytest.raises(WsgibenchError, match="running"):
        server.start()
    server.stop()


def test_serve_needs_the_main_thread() -> None:
    caught: list[BaseException] = []

    def run() -> None:
        try:
            wsgibench.serve(hello, port=0)
        except UsageError as error:
            caught.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert "main thread" in str(caught[0])


# Programs of their own -----------------------------------------------------

SERVE = """
import signal, sys, wsgibench

def app(environ, start_response):
    start_response("200 OK", [])
    return [b"served"]

before = signal.getsignal(signal.SIGTERM)
wsgibench.serve(app, port=0, announce=True, threads=int(sys.argv[1]))
assert signal.getsignal(signal.SIGTERM) is before
print("after", flush=True)
"""

GEVENT = """
import sys
from gevent import get_hub, monkey, socket, spawn, joinall, sleep
import wsgibench

def app(environ, start_response):
    start_response("200 OK", [])
    return [environ["PATH_INFO"].encode()]

server = wsgibench.Server(app, port=0)
hub = get_hub()
watcher = hub.loop.io(server.fileno(), 1)
watcher.start(server.turn)
server.turn()

def ask(number):
    sock = socket.create_connection(server.address)
    sock.sendall(b"GET /%d HTTP/1.0\\r\\n\\r\\n" % number)
    data = b""
    while True:
        piece = sock.recv(4096)
        if not piece:
            return data.endswith(b"\\r\\n\\r\\n/%d" % number)
        data += piece

jobs = [spawn(ask, number) for number in range(50)]
joinall(jobs, timeout=60, raise_error=True)
watcher.stop()
server.close()
print(sum(job.value for job in jobs))
"""

INTERRUPTED = """
import sys, wsgibench

def app(environ, start_response):
    start_response("200 OK", [])
    return [b"served"]

server = wsgibench.Server(app, port=0)
try:
    print("http://x:%d" % server.address[1], file=sys.stderr, flush=True)
    while server.turn(None) >= 0:
        pass
except KeyboardInterrupt:
    print("interrupted", file=sys.stderr, flush=True)
server.close()
"""


@pytest.fixture
def program(binding: str, tmp_path: Path) -> Iterator[Callable[..., Program]]:
    with programs() as start:

        def run(text: str, *arguments: str) -> Program:
            (tmp_path / "program.py").write_text(text)
            return start(
                [sys.executable, str(tmp_path / "program.py"), *arguments],
                {"WSGIBENCH_BACKEND": binding},
            )

        yield run


@pytest.mark.parametrize("threads", ["0", "2"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_serve_returns_and_puts_signals_back(
    program: Callable[..., Program], number: int, threads: str
) -> None:
    running = program(SERVE, threads)
    assert get(running.port()) == b"served"
    assert running.stop(number) == 0, running.text
    assert running.process.stdout is not None
    assert running.process.stdout.read() == "after\n"


def test_ctrl_c_ends_a_loop_of_turns(
    program: Callable[..., Program],
) -> None:
    running = program(INTERRUPTED)
    port = int(running.line("http://x:").rpartition(":")[2])
    running.process.send_signal(signal.SIGINT)
    # A request brings back an interpreter that waits in C.
    with socket.create_connection(("127.0.0.1", port), 30) as sock:
        sock.sendall(b"GET / HTTP/1.0\r\n\r\n")
        assert running.wait() == 0, running.text
    assert "interrupted" in running.text


def test_driven_by_gevent(binding: str) -> None:
    pytest.importorskip("gevent")
    done = subprocess.run(
        [sys.executable, "-c", GEVENT],
        env=child_environment({"WSGIBENCH_BACKEND": binding}),
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.stdout == "50\n", done.stderr
