"""wsgibench.Server: in threads, in numbers, and in other people's loops."""

from __future__ import annotations

import asyncio
import http.client
import os
import socket
import threading
import time
from pathlib import Path
from typing import Any, Callable

import pytest

from wsgibench import Server
from wsgibench.errors import UsageError, WsgibenchError

Start = Callable[..., Any]


def hello(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [environ["PATH_INFO"].encode("latin-1")]


def get(address: Any, path: str = "/x") -> bytes:
    connection = http.client.HTTPConnection(address[0], address[1], timeout=60)
    connection.request("GET", path)
    with connection.getresponse() as response:
        assert response.status == 200
        data = response.read()
    connection.close()
    return data


@pytest.mark.parametrize("threads", [0, 1, 4])
def test_in_a_thread(serve_app: Start, threads: int) -> None:
    server = serve_app(hello, threads=threads)
    assert get(server.address) == b"/x"
    assert server.stats()["requests"] == 1


def test_several_at_once(serve_app: Start) -> None:
    servers = [serve_app(hello, threads=n) for n in (0, 0, 2)]
    for server in servers:
        for other in servers:
            assert get(other.address, "/%d" % other.address[1]) == (
                b"/%d" % other.address[1]
            )
        assert get(server.address) == b"/x"


def test_start_and_stop_many_times(serve_app: Start) -> None:
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(30):
        server = serve_app(hello)
        assert get(server.address) == b"/x"
        server.stop()
    assert len(os.listdir("/proc/self/fd")) <= before + 2


def test_the_address_is_free_afterwards(serve_app: Start) -> None:
    server = serve_app(hello)
    port = server.address[1]
    server.stop()
    assert get(serve_app(hello, port=port).address) == b"/x"


def test_flags_are_true_to_the_settings(serve_app: Start) -> None:
    def flags(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        return [
            b"%d%d%d"
            % (
                environ["wsgi.multithread"],
                environ["wsgi.multiprocess"],
                environ["wsgi.run_once"],
            )
        ]

    assert get(serve_app(flags).address) == b"000"
    assert get(serve_app(flags, threads=2).address) == b"100"


def test_threads_run_at_the_same_time(serve_app: Start) -> None:
    together = threading.Barrier(3, timeout=60)

    def meet(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        together.wait()
        return hello(environ, start_response)

    server = serve_app(meet, threads=3)
    results: list[bytes] = []
    clients = [
        threading.Thread(target=lambda: results.append(get(server.address)))
        for _ in range(3)
    ]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    assert results == [b"/x"] * 3


def test_other_threads_run_while_it_is_idle(serve_app: Start) -> None:
    """The GIL is released around the poll."""
    serve_app(hello)
    counted = threading.Event()

    def count() -> None:
        sum(range(10**6))
        counted.set()

    threading.Thread(target=count).start()
    assert counted.wait(20)


def test_unix_socket(serve_app: Start, tmp_path: Path) -> None:
    path = tmp_path / "s"
    server = serve_app(hello, bind="unix:%s" % path)
    with socket.socket(socket.AF_UNIX) as sock:
        sock.connect(str(path))
        sock.sendall(b"GET /u HTTP/1.0\r\n\r\n")
        data = sock.makefile("rb").read()
    assert data.endswith(b"/u")
    server.stop()
    assert not path.exists()


def test_abstract_socket(serve_app: Start) -> None:
    name = "wsgibench-test-%d" % os.getpid()
    serve_app(hello, bind="unix:@" + name)
    with socket.socket(socket.AF_UNIX) as sock:
        sock.connect("\0" + name)
        sock.sendall(b"GET /u HTTP/1.0\r\n\r\n")
        assert sock.makefile("rb").read().endswith(b"/u")


def test_ipv6(serve_app: Start) -> None:
    def peer(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        return [environ["REMOTE_ADDR"].encode()]

    try:
        server = serve_app(peer, host="::1")
    except WsgibenchError as error:
        pytest.skip("no IPv6 here: %s" % error)
    assert get(server.address) == b"::1"


def test_a_given_socket_stays_the_callers(serve_app: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = serve_app(hello, sock=listener)
        assert get(listener.getsockname()) == b"/x"
        server.stop()
        assert listener.fileno() >= 0


def test_busy_port(serve_app: Start) -> None:
    port = serve_app(hello).address[1]
    with pytest.raises(WsgibenchError, match="127.0.0.1:%d" % port):
        serve_app(hello, port=port)


@pytest.mark.parametrize(
    "arguments",
    [
        {"app": 5},
        {"app": hello, "threads": -1},
        {"app": hello, "bind": "nonsense"},
        {"app": hello, "bind": "fd://x"},
        {"app": hello, "no_such_setting": 1},
    ],
)
def test_wrong_use_is_told(
    serve_app: Start, arguments: dict[str, Any]
) -> None:
    with pytest.raises(UsageError):
        serve_app(**arguments)


def test_access_log(serve_app: Start, tmp_path: Path) -> None:
    path = tmp_path / "log"
    server = serve_app(hello, access_log=str(path), log_format="combined")
    get(server.address, "/a?b=c")
    server.stop()
    (line,) = path.read_text().splitlines()
    assert line.startswith("127.0.0.1 - - [")
    assert '"GET /a?b=c HTTP/1.1" 200 2 "-" "-"' in line


def test_driven_by_asyncio(
    binding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from wsgibench import native
    from wsgibench.native.server import Server

    monkeypatch.setenv("WSGIBENCH_BACKEND", binding)
    native.binding.cache_clear()
    server = Server(hello, port=0)

    async def main() -> bytes:
        loop = asyncio.get_running_loop()
        loop.add_reader(server.fileno(), server.turn)
        server.turn(0)
        data = await loop.run_in_executor(None, get, server.address)
        loop.remove_reader(server.fileno())
        return data

    assert asyncio.run(main()) == b"/x"
    server.close()
    native.binding.cache_clear()


def ask_around_a_stop(server: Any) -> tuple[bytes, float]:
    """The last answer on a connection that a stop came upon, and how long it
    had been silent when the server looked at it."""
    raw = b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n"
    with socket.create_connection(server.address, 10) as client:
        client.sendall(raw)
        while server.stats()["responses"] < 1:
            server.turn(1)
        began = time.monotonic()
        client.recv(4096)
        server.core.stop(10)
        server.turn(0)
        silent = time.monotonic() - began
        client.sendall(raw)
        while server.turn(1) >= 0:
            pass
        return client.recv(4096), silent


@pytest.mark.parametrize("idle", [60, 0])
def test_a_client_that_was_just_answered_may_ask_once_more(idle: int) -> None:
    """Its next request may be on its way when the stop comes."""
    silent = 1.0
    while silent > 0.4:  # this process was not let run
        server = Server(hello, port=0, idle_timeout=idle)
        answer, silent = ask_around_a_stop(server)
        server.close()
    assert b"\r\nConnection: close\r\n" in answer
    assert answer.endswith(b"/x")
