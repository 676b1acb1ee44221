"""Letting clients in while others keep the loop busy."""

from __future__ import annotations

import socket
from typing import Any, Callable

import pytest

from wsgibench import Server

Start = Callable[..., Any]
CLIENTS = 300
REQUEST = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


def hello(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    start_response("200 OK", [("Content-Length", "2")])
    return [b"hi"]


def connect(server: Server) -> list[socket.socket]:
    found = [socket.create_connection(server.address) for _ in range(CLIENTS)]
    for client in found:
        client.settimeout(60)
    return found


def serve(server: Server, wanted: dict[str, int]) -> None:
    """Turns until these statistics are reached."""
    while any(server.stats()[key] < value for key, value in wanted.items()):
        server.turn()


def busy_round(server: Server, clients: list[socket.socket]) -> None:
    """A request of each, answered."""
    for client in clients:
        client.sendall(REQUEST)
    serve(server, {"responses": server.stats()["responses"] + len(clients)})
    for client in clients:
        assert client.recv(4096).endswith(b"hi")


def test_new_clients_get_their_part_of_a_busy_loop() -> None:
    """With one let in by a turn, as workers that share a socket have it,
    they would wait for as many rounds as they are."""
    server = Server(hello, port=0, accept_batch=1)
    clients: list[socket.socket] = []
    try:
        server.turn()
        clients += connect(server)
        serve(server, {"connections": CLIENTS})
        busy = clients[:]
        for _ in range(5):
            busy_round(server, busy)
        clients += connect(server)
        rounds = 0
        while server.stats()["connections"] < 2 * CLIENTS:
            busy_round(server, busy)
            rounds += 1
            assert rounds < CLIENTS // 4
    finally:
        for client in clients:
            client.close()
        server.close()


@pytest.mark.parametrize("idle", [0, 600])
def test_a_silent_connection_is_idle(serve_app: Start, idle: int) -> None:
    """Balancers open ahead. Half a head must become whole in time, though,
    also where being idle has no end."""
    server = serve_app(hello, head_timeout=0.2, idle_timeout=idle)
    silent = socket.create_connection(server.address, 20)
    slow = socket.create_connection(server.address, 20)
    kept = socket.create_connection(server.address, 20)
    with silent, slow, kept:
        kept.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert kept.recv(1000)
        for late in (slow, kept):
            late.sendall(b"GET / HTTP/1.1\r\nHost")
            assert late.makefile("rb").readline().startswith(b"HTTP/1.1 408")
        silent.sendall(b"GET / HTTP/1.0\r\n\r\n")
        assert silent.makefile("rb").readline().startswith(b"HTTP/1.1 200")
