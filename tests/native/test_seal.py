"""The listening socket's last moment: who was let in is served, no one else
is let in."""

from __future__ import annotations

import os
import socket
import sys

import pytest

from wsgibench.native import sockets


@pytest.mark.skipif(sys.platform != "linux", reason="a filter of Linux")
def test_a_sealed_tcp_socket_keeps_its_queue_and_takes_no_more() -> None:
    listener = sockets.listen_tcp("127.0.0.1", 0)
    listener.listen(16)
    address = listener.getsockname()
    with socket.create_connection(address, 5) as early:
        early.sendall(b"first")
        sockets.seal(listener)
        with pytest.raises(socket.timeout):
            socket.create_connection(address, 0.2)
        listener.settimeout(5)
        accepted, _ = listener.accept()
        with accepted:
            assert accepted.recv(5) == b"first"
        listener.setblocking(False)
        with pytest.raises(BlockingIOError):
            listener.accept()
        listener.close()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(address, 5)


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
                with socket.create_connection(ours.getsockname(), 5) as client:
                    client.sendall(b"GET / HTTP/1.0\r\n\r\n")
                    answer = b""
                    while piece := client.recv(4096):
                        answer += piece
            assert answer.endswith(b"here")
