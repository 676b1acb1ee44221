"""Many raw connections in one loop, each read as bytes come."""

from __future__ import annotations

import contextlib
import selectors
import socket
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from wsgibench.audit.wire.exchange import close_hard

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


@dataclass(eq=False)
class Client:
    sock: socket.socket
    opened: float
    data: bytearray = field(default_factory=bytearray)
    ended: float | None = None  # when the server closed it
    reset: bool = False

    @property
    def status(self) -> int:
        """Of the first answer; 0: none."""
        head = bytes(self.data[:12])
        return int(head[9:12]) if head[:5] == b"HTTP/" else 0

    def send(self, data: bytes) -> bool:
        """As many as the kernel takes; False when the server is gone."""
        try:
            self.sock.send(data)
        except BlockingIOError:
            return True
        except OSError:
            return False
        return True


class Swarm:
    """Use as a context manager: it closes what is left, without TIME_WAIT."""

    def __init__(self, address: tuple[str, int]) -> None:
        self.address = address
        self.clients: list[Client] = []
        self._selector = selectors.DefaultSelector()

    def __enter__(self) -> Swarm:
        return self

    def __exit__(self, *unused: object) -> None:
        for client in list(self.clients):
            self.leave(client)
        self._selector.close()

    def open(
        self, count: int, first: bytes = b"", source: str = ""
    ) -> list[Client]:
        """`count` more connections, each of which sends `first`."""
        made = []
        for _ in range(count):
            sock = socket.socket()
            sock.settimeout(30)
            if source:
                # The port is chosen at the connect: more than 28,000 to one
                # destination are possible from several sources.
                sock.setsockopt(socket.IPPROTO_IP, 24, 1)
                sock.bind((source, 0))
            sock.connect(self.address)
            if first:
                sock.sendall(first)
            sock.setblocking(False)
            client = Client(sock, time.monotonic())
            self._selector.register(sock, selectors.EVENT_READ, client)
            self.clients.append(client)
            made.append(client)
        return made

    def leave(self, client: Client) -> None:
        if client.ended is None:
            with contextlib.suppress(KeyError, ValueError):
                self._selector.unregister(client.sock)
        self.clients.remove(client)
        close_hard(client.sock)

    def turn(self, timeout: float = 0.0) -> None:
        """Take what has come."""
        for key, _ in self._selector.select(timeout):
            client = key.data
            try:
                piece = client.sock.recv(1 << 16)
            except BlockingIOError:
                continue
            except OSError:
                piece = b""
                client.reset = True
            client.data += piece
            if not piece:
                client.ended = time.monotonic()
                self._selector.unregister(client.sock)

    def until(
        self, condition: Callable[[], bool], patience: float = 60.0
    ) -> bool:
        """Turn until it holds; False if it does not in time."""
        end = time.monotonic() + patience
        while not condition():
            left = end - time.monotonic()
            if left <= 0:
                return False
            self.turn(min(0.05, left))
        return True

    def answered(self, clients: Iterable[Client], size: int = 1) -> bool:
        return all(len(client.data) >= size for client in clients)
