"""Brings about what clients do wrong."""

from __future__ import annotations

import contextlib
import select
import socket
import time
from collections.abc import Iterator

from wsgibench.audit.faults.fault import MOST, Fault
from wsgibench.audit.wire.exchange import (
    Address,
    Reply,
    close_hard,
    connect,
)
from wsgibench.audit.wire.responses import Malformed, finals, parse_all

#: Seconds without a sign of the server.
PATIENCE = 5.0
#: Seconds for which an endless message is sent at most.
ENDLESS = 10.0


@contextlib.contextmanager
def crowd(address: Address, fault: Fault) -> Iterator[list[Reply]]:
    """The clients of a fault, each as far as the server lets it come; at the
    end those that hold vanish. What each has read."""
    with contextlib.ExitStack() as stack:
        held: list[tuple[socket.socket, Reply]] = []
        for _ in range(fault.clients):
            try:
                sock = connect(address, PATIENCE)
            except OSError:
                break  # its queue is full of those before
            stack.callback(close_hard, sock)
            reply = Reply(b"", "")
            held.append((sock, reply))
            with contextlib.suppress(OSError):
                sock.sendall(fault.send)
            if fault.endless:
                _endless(sock, fault.endless, reply)
        for sock, reply in held:
            if fault.read:
                _read(sock, reply, fault.read)
            _then(sock, reply, fault.then)
        yield [reply for _, reply in held]


def _read(sock: socket.socket, reply: Reply, size: int) -> None:
    """That many bytes, or to the end."""
    received = bytearray(reply.data)
    try:
        while len(received) < size:
            piece = sock.recv(1 << 16)
            if not piece:
                reply.end = "eof"
                break
            received += piece
    except socket.timeout:
        reply.end = "deadline"
    except OSError:
        reply.end = "reset"
    reply.data = bytes(received)


def _then(sock: socket.socket, reply: Reply, what: str) -> None:
    if what == "reset":
        close_hard(sock)
    elif what == "close":
        sock.close()
    elif what == "half-close":
        with contextlib.suppress(OSError):
            sock.shutdown(socket.SHUT_WR)
        _read(sock, reply, 1 << 30)


def _endless(sock: socket.socket, block: bytes, reply: Reply) -> None:
    """Until it is refused ("eof", "reset"), nobody reads it ("full"), or
    MOST bytes are taken, or as many as come to be in ENDLESS ("taken")."""
    sock.setblocking(False)
    sent = 0
    last = time.monotonic()
    until = last + ENDLESS
    while sent < MOST and time.monotonic() < until:
        left = last + PATIENCE - time.monotonic()
        readable, writable, _ = select.select([sock], [sock], [], max(0, left))
        if not readable and not writable:
            reply.end = "full"
            return
        try:
            if readable:
                piece = sock.recv(1 << 16)
                reply.data += piece
                reply.end = "eof"
                return
            sent += sock.send(block[sent % len(block) :])
            last = time.monotonic()
        except BlockingIOError:
            continue
        except OSError:
            reply.end = "reset"
            return
    reply.end = "taken"


def complaint(fault: Fault, replies: list[Reply]) -> str:
    """What is wrong with what the clients got."""
    if any(reply.end == "taken" for reply in replies):
        return "takes it without end and does not refuse"
    if fault.whole:
        for reply in replies:
            try:
                answers = finals(parse_all(reply.data))
            except Malformed as error:
                return "malformed answer: %s" % error
            if not answers:
                return "no answer"
            if answers[0].status != 200 or not answers[0].complete:
                return "answered %d, %s" % (
                    answers[0].status,
                    "whole" if answers[0].complete else "cut off",
                )
    return ""
