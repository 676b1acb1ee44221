"""The listening socket's last moment: who was let in is served, no one else
is let in."""

from __future__ import annotations

import contextlib
import os
import socket
import sys
import time
from pathlib import Path

import pytest

from tests.wire.kernel import may_filter
from wsgibench.native import sockets

filters = pytest.mark.skipif(
    not may_filter(),
    reason="this user may put no filter on a socket",
)
#: Seconds that the core keeps a sealed socket, and some less (drain.c).
IN_HANDSHAKE = 0.05


@filters
def test_a_sealed_tcp_socket_keeps_its_queue_and_takes_no_more() -> None:
    listener = sockets.listen_tcp("127.0.0.1", 0)
    listener.listen(16)
    address = listener.getsockname()
    with socket.create_connection(address, 60) as early:
        early.sendall(b"first")
        sockets.seal(listener)
        with pytest.raises(socket.timeout):
            socket.create_connection(address, 0.2)
        listener.settimeout(60)
        accepted, _ = listener.accept()
        with accepted:
            assert accepted.recv(5) == b"first"
        listener.setblocking(False)
        with pytest.raises(BlockingIOError):
            listener.accept()
        listener.close()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(address, 60)


def test_a_sealed_unix_socket_keeps_its_queue_and_takes_no_more(
    tmp_path: object,
) -> None:
    path = "%s/socket" % tmp_path
    listener = sockets.listen_unix(path)
    listener.listen(16)
    with socket.socket(socket.AF_UNIX) as early:
        early.connect(path)
        sockets.seal(listener)
        with socket.socket(socket.AF_UNIX) as late:
            with pytest.raises(FileNotFoundError):
                late.connect(path)
        listener.accept()[0].close()
    listener.close()


def test_the_socket_that_another_has_put_there_stays(tmp_path: Path) -> None:
    """An operator removed ours and started the next service."""
    path = tmp_path / "socket"
    ours = sockets.listen_unix(str(path))
    path.unlink()
    with contextlib.closing(sockets.listen_unix(str(path), 0o600)) as theirs:
        theirs.listen(1)
        for _ in range(2):  # a stop seals more than once
            sockets.seal(ours)
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(path))
        sockets.seal(theirs)
    assert not path.exists()
    ours.close()


@pytest.mark.skipif(sys.platform != "linux", reason="no abstract names")
def test_a_sealed_abstract_socket() -> None:
    """It has no file that could be removed."""
    name = "wsgibench-test-%d" % os.getpid()
    listener = sockets.listen_unix("@" + name)
    listener.listen(16)
    with socket.socket(socket.AF_UNIX) as early:
        early.connect("\0" + name)
        sockets.seal(listener)
        with socket.socket(socket.AF_UNIX) as late:
            with pytest.raises(ConnectionRefusedError):
                late.connect("\0" + name)
        listener.accept()[0].close()
    listener.close()


def test_an_inherited_socket_serves_on_after_a_server_has_left_it() -> None:
    """It is another's, who may start the next server on it."""
    from wsgibench import Server

    def app(environ, start_response):  # type: ignore[no-untyped-def]
        start_response("200 OK", [])
        return [b"here"]

    with sockets.listen_tcp("127.0.0.1", 0) as ours:
        for _ in range(2):
            duplicate = ours.dup()
            bind = "fd://%d" % duplicate.detach()
            with Server(app, bind=bind):
                with socket.create_connection(
                    ours.getsockname(), 60
                ) as client:
                    client.sendall(b"GET / HTTP/1.0\r\n\r\n")
                    answer = b""
                    while piece := client.recv(4096):
                        answer += piece
            assert answer.endswith(b"here")


@filters
def test_who_is_in_its_handshake_when_a_stop_begins_is_answered() -> None:
    """With TCP_DEFER_ACCEPT a handshake ends with the client's first bytes:
    until then it takes itself for connected, and is not in the queue."""
    from wsgibench import Server

    def app(environ, start_response):  # type: ignore[no-untyped-def]
        start_response("200 OK", [])
        return [b"here"]

    for _ in range(20):
        server = Server(app, port=0, defer_accept=True)
        with socket.create_connection(server.address, 5) as client:
            sockets.seal(server.socket)
            began = time.monotonic()
            server.core.stop(30.0)
            server.turn()
            client.sendall(b"GET / HTTP/1.0\r\n\r\n")
            in_time = time.monotonic() - began < IN_HANDSHAKE
            while server.turn(1.0) >= 0:
                pass
            server.close()
            if in_time:
                assert client.makefile("rb").read().endswith(b"here")
                return
    pytest.fail("this machine was never quick enough to try it")
