"""Keep-alive clients that ask for /pid in turn, and know whose answer was
lost: a connection belongs to the worker that accepted it."""

from __future__ import annotations

import socket
import threading
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from wsgibench.audit.wire.exchange import connect

if TYPE_CHECKING:
    from typing_extensions import Self

ASK = b"GET /pid HTTP/1.1\r\nHost: a\r\n\r\n"
HANG = b"GET /hang HTTP/1.1\r\nHost: a\r\n\r\n"


@dataclass
class Seen:
    answers: Counter[int] = field(default_factory=Counter)  # by worker
    lost: Counter[int] = field(default_factory=Counter)
    unknown: int = 0  # lost before the first answer of a connection


class Threads:
    """`count` threads that work from the start of the block to its end."""

    def __init__(self, count: int) -> None:
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._threads = [
            threading.Thread(target=self._work, daemon=True)
            for _ in range(count)
        ]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *unused: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        raise NotImplementedError


class Clients(Threads):
    """`count` threads with a connection each; a lost one is replaced."""

    def __init__(self, address: tuple[str, int], count: int) -> None:
        super().__init__(count)
        self.address = address
        self.seen = Seen()

    def _work(self) -> None:
        while not self._over.is_set():
            worker = 0
            try:
                sock = connect(self.address, 60.0)
            except OSError:
                with self._lock:
                    self.seen.unknown += 1
                continue
            with sock:
                while not self._over.is_set():
                    answer = self._ask(sock)
                    with self._lock:
                        if answer:
                            worker = answer
                            self.seen.answers[worker] += 1
                        elif worker:
                            self.seen.lost[worker] += 1
                        else:
                            self.seen.unknown += 1
                    if not answer:
                        break

    @staticmethod
    def _ask(sock: socket.socket) -> int:
        """The worker's pid; 0: the answer is lost."""
        data = b""
        try:
            sock.sendall(ASK)
            while b"\r\n\r\n" not in data or data.endswith(b"\r\n\r\n"):
                piece = sock.recv(4096)
                if not piece:
                    return 0
                data += piece
        except OSError:
            return 0
        return int(data.rpartition(b"\r\n\r\n")[2])

    def answers(self) -> Counter[int]:
        with self._lock:
            return Counter(self.seen.answers)
