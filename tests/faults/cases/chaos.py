"""Clients that vanish: at every byte of a request and of an answer, by FIN,
by RST, by half a close, and by never saying a word."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from typing import Any

from tests.faults.case import APP, Start, address_of, answers, warm
from tests.faults.figure import Figure, least, most
from tests.faults.measure import KIB, descriptors, memory, room_for_descriptors
from tests.faults.swarm import Swarm
from tests.native.process import until
from tests.wire.target import Target
from wsgibench.audit.wire.exchange import close_hard

HELP = "clients vanish at every byte; 10,000 connect and say nothing"
SMALL: dict[str, Any] = {"rounds": 6, "silent": 200}
FULL: dict[str, Any] = {"rounds": 10, "silent": 10000}

REQUESTS = (
    b"GET /stream?size=300 HTTP/1.1\r\nHost: a\r\nX-Field: text\r\n\r\n",
    b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 12\r\n\r\n"
    b"twelve bytes",
    b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"5;ext\r\nchunk\r\n0\r\nTrailer: x\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /echo HTTP/1.1\r\nHost: a\r\n\r\n",
)
SHORT = REQUESTS[0]
LONG = SHORT.replace(b"size=300", b"size=3000000")
#: States of include/net/tcp_states.h, as /proc/net/tcp writes them.
LISTEN = "0A"
#: FIN_WAIT1, FIN_WAIT2, TIME_WAIT, LAST_ACK, CLOSING.
CLOSED_HERE = ("04", "05", "06", "09", "0B")
MODES: tuple[dict[str, Any], ...] = (
    {},
    {"threads": 2},
    {"stream_body": 1},
)


def vanish(address: tuple[str, int], data: bytes, how: str) -> None:
    sock = socket.create_connection(address, 30)
    with contextlib.suppress(OSError):
        sock.sendall(data)
    if how == "half":
        with contextlib.suppress(OSError):
            sock.shutdown(socket.SHUT_WR)
            while sock.recv(65536):
                pass
    if how == "fin":
        sock.close()
    else:
        close_hard(sock)


def in_requests(target: Target) -> int:
    address, count = address_of(target), 0
    for request in REQUESTS:
        for how in ("fin", "rst", "half"):
            for size in range(len(request) + 1):
                vanish(address, request[:size], how)
                count += 1
    return count


def in_answers(target: Target) -> int:
    """Read so many bytes of the answer, then go."""
    address, count = address_of(target), 0
    for size in range(1, 400):
        with contextlib.suppress(ConnectionResetError):
            sock = socket.create_connection(address, 30)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
            sock.sendall(SHORT if size % 2 else LONG)
            left = size
            while left > 0:
                piece = sock.recv(left)
                if not piece:
                    break
                left -= len(piece)
            sock.close() if size % 3 else close_hard(sock)
        count += 1
    return count


def silent(target: Target, count: int) -> int:
    room = room_for_descriptors(count + 200) - 200
    with Swarm(address_of(target)) as swarm:
        swarm.open(min(count, room))
        assert answers(target)
        return len(swarm.clients)


def run(start: Start, rounds: int, silent: int) -> Iterator[Figure]:
    room_for_descriptors(silent + 200)
    for settings in MODES:
        name = " (%s)" % (", ".join(settings) or "loop")
        with start(APP, **settings) as target:
            yield from one(target, rounds, silent, name)


def one(
    target: Target, rounds: int, count: int, name: str
) -> Iterator[Figure]:
    warm(target)
    for _ in range(2):
        in_requests(target)
        in_answers(target)
        silent(target, count)
    until(lambda: settled(target), "connections are left")
    before, files = memory(target.pid), descriptors(target.pid)
    done, grown = 0, []
    for _ in range(rounds):
        done += in_requests(target) + in_answers(target)
        done += silent(target, count)
        until(lambda: settled(target), "connections are left")
        now = memory(target.pid)
        grown.append((now - before) / KIB)
        before = now
    yield least("clients that vanished" + name, done, 1300 * rounds)
    # A leak grows in every round; PyPy's compiled loops do not.
    yield most("memory grown, least round" + name, min(grown), 128, "KiB")
    yield most("descriptors more" + name, descriptors(target.pid) - files, 1)
    yield least("alive" + name, float(target.alive and answers(target)), 1)


def settled(target: Target) -> bool:
    """The server has no connection, and none waits to be accepted."""
    port = ":%04X" % address_of(target)[1]
    assert answers(target)
    with open("/proc/net/tcp") as file:
        lines = [line.split() for line in file]
    ours = [fields for fields in lines if fields[1].endswith(port)]
    return not any(is_of_a_process(f[3], f[9]) for f in ours)


def is_of_a_process(state: str, inode: str) -> bool:
    """Is it a connection that a process has, or may still accept? One that
    was closed belongs to the kernel (inode 0): where the client's FIN was
    lost with its socket, it stays in FIN_WAIT2 for a minute."""
    if state == LISTEN:
        return False
    return inode != "0" or state not in CLOSED_HERE
