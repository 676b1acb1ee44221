"""Many scripted conversations at once, in one selector loop.

A script is a list of segments. The next segment is sent when the peer's
kernel has nothing left of the one before (SIOCOUTQ is 0), which on a unix
socket means that the server has read it: so segmentation is exact, and no
clock decides it. Over TCP a pause makes it likely.
"""

from __future__ import annotations

import array
import contextlib
import fcntl
import selectors
import socket
import struct
import termios
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Union

from wsgibench.audit.wire.responses import Malformed, finals, parse_all

#: Seconds between two looks at what the peers' kernels have left.
POLL = 0.0002

Address = Union[str, "tuple[str, int]"]


@dataclass(frozen=True)
class Script:
    segments: Sequence[bytes]
    half_close: bool = False  # send FIN after the last segment
    #: Seconds between two segments at least. Over TCP the kernel tells that
    #: the other one has the bytes, not that somebody has read them.
    pause: float = 0.0
    limit: int = 1 << 24  # bytes of answer that are kept at most


@dataclass
class Reply:
    data: bytes
    end: str  # eof, reset, deadline


def connect(address: Address, timeout: float | None = 20.0) -> socket.socket:
    if not isinstance(address, str):
        sock = socket.create_connection(address, timeout)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return sock
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    sock.settimeout(timeout)
    try:
        sock.connect(address)
    except OSError:
        sock.close()
        raise
    return sock


def unread(sock: socket.socket) -> int:
    """Bytes we sent that the peer has not taken yet."""
    answer = array.array("i", [0])
    fcntl.ioctl(sock, termios.TIOCOUTQ, answer)
    return answer[0]


def close_hard(sock: socket.socket) -> None:
    """Close with RST: leaves no TIME_WAIT behind, so that tens of thousands
    of short connections do not use up the ports."""
    if sock.family != socket.AF_UNIX:
        with contextlib.suppress(OSError):
            sock.setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
            )
    sock.close()


class _Talk:
    def __init__(self, index: int, script: Script, sock: socket.socket):
        self.index = index
        self.sock = sock
        self.todo = list(reversed([s for s in script.segments if s]))
        self.half_close = script.half_close
        self.limit = script.limit
        self.pause = script.pause
        self.rest = memoryview(b"")
        self.sending = True
        self.data = bytearray()
        self.end = ""

    def send(self) -> bool:
        """Push on; True while there is more to send."""
        one_sent = False
        try:
            while self.sending:
                if not self.rest:
                    if unread(self.sock) or (one_sent and self.pause):
                        return True
                    if not self.todo:
                        self.sending = False
                        if self.half_close:
                            self.sock.shutdown(socket.SHUT_WR)
                        break
                    self.rest = memoryview(self.todo.pop())
                self.rest = self.rest[self.sock.send(self.rest) :]
                one_sent = True
        except BlockingIOError:
            return True
        except OSError:
            self.sending = False  # refused already: the answer tells
        return self.sending

    def receive(self) -> bool:
        """Take what is there; True when the conversation is over."""
        try:
            piece = self.sock.recv(1 << 18)
        except BlockingIOError:
            return False
        except OSError:
            self.end = "reset"
            return True
        if len(self.data) < self.limit:
            self.data += piece
        if not piece:
            self.end = "eof"
        return not piece


def _open(
    address: Address, numbered: Iterator[tuple[int, Script]], room: int
) -> Iterator[_Talk]:
    for _ in range(room):
        for index, script in numbered:
            sock = connect(address)
            sock.setblocking(False)
            yield _Talk(index, script, sock)
            break
        else:
            return


def exchange(
    address: Address,
    scripts: Iterable[Script],
    deadline: float = 20.0,
    parallel: int = 128,
) -> list[Reply]:
    """Hold every conversation until the server closes it. One that is still
    open `deadline` seconds after the last sign of life of any ends as
    "deadline"."""
    numbered = iter(list(enumerate(scripts)))
    replies: dict[int, Reply] = {}
    talks: set[_Talk] = set()
    selector = selectors.DefaultSelector()
    last = time.monotonic()
    senders: set[_Talk] = set()
    try:
        while True:
            for talk in _open(address, numbered, parallel - len(talks)):
                talks.add(talk)
                selector.register(talk.sock, selectors.EVENT_READ, talk)
                senders.add(talk)
            if not talks:
                break
            before = sum(len(talk.todo) for talk in senders)
            senders = {talk for talk in senders if talk.send()}
            after = sum(len(talk.todo) for talk in senders)
            # Polls a condition of the kernel's, does not wait for a clock.
            turn = max((talk.pause for talk in senders), default=0.5)
            ready = selector.select(max(turn, POLL))
            for key, _ in ready:
                talk = key.data
                if talk.receive():
                    _over(talk, talks, senders, selector, replies)
            now = time.monotonic()
            if ready or before != after:
                last = now
            elif now - last > deadline:
                for talk in list(talks):
                    talk.end = "deadline"
                    _over(talk, talks, senders, selector, replies)
    finally:
        for talk in talks:
            talk.sock.close()
        selector.close()
    return [replies[index] for index in sorted(replies)]


def in_turn(
    address: Address, first: bytes, second: bytes, method: str, patience: float
) -> Reply:
    """The second message after the whole answer to the first, on the same
    connection; `patience` in seconds without a byte. Raises OSError if there
    is no connection."""
    reply = Reply(b"", "deadline")
    sock = connect(address, patience)
    try:
        sock.sendall(first)
        for message in (second, b""):
            if _answer(sock, reply, method if message else ""):
                return reply
            sock.sendall(message)
    except socket.timeout:
        return reply
    except OSError:
        reply.end = "reset"
    finally:
        close_hard(sock)
    return reply


def _answer(sock: socket.socket, reply: Reply, method: str) -> bool:
    """Reads until an answer to `method` is whole, or with none to the end;
    True at the end."""
    while not (method and _is_whole(reply.data, method)):
        piece = sock.recv(1 << 18)
        if not piece:
            reply.end = "eof"
            return True
        reply.data += piece
    return False


def _is_whole(data: bytes, method: str) -> bool:
    try:
        answers = finals(parse_all(data, (method,), ended=False))
    except Malformed:
        return False
    return bool(answers) and answers[-1].complete


def _over(
    talk: _Talk,
    talks: set[_Talk],
    senders: set[_Talk],
    selector: selectors.BaseSelector,
    replies: dict[int, Reply],
) -> None:
    selector.unregister(talk.sock)
    close_hard(talk.sock)
    talks.discard(talk)
    senders.discard(talk)
    replies[talk.index] = Reply(bytes(talk.data), talk.end)
