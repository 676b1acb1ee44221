"""An application takes its connection over (WebSocket).

A request with ``Connection: upgrade`` has a socket in its environ, under the
name that simple-websocket, and so flask-sock, looks for; the first use of it
makes the connection the application's. Until the call is back the server
counts the connection, and at its end shuts it down after the grace. What the
call returns then goes nowhere.

Only with threads (the call lasts as long as the conversation) and without TLS
(whose state cannot be handed over: let a proxy do it): otherwise there is no
such key.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from typing import Any

KEYS = ("wsgibench.socket", "werkzeug.socket")

Detach = Callable[[], "tuple[int, bytes]"]


class TakenSocket(socket.socket):
    """The client's socket, in blocking mode. What it sent behind its request
    is received first."""

    def __init__(self, fd: int, early: bytes) -> None:
        super().__init__(fileno=fd)
        self._early = early

    def recv(self, size: int, flags: int = 0) -> bytes:
        early = self._early[:size]
        if not early:
            return super().recv(size, flags)
        if not flags & socket.MSG_PEEK:
            self._early = self._early[len(early) :]
        return early

    def recv_into(self, buffer: Any, size: int = 0, flags: int = 0) -> int:
        if not self._early:
            return super().recv_into(buffer, size, flags)
        view = memoryview(buffer).cast("B")
        data = self.recv(size or len(view), flags)
        view[: len(data)] = data
        return len(data)


class LazySocket:
    """Stands in the environ for the socket: looking at the environ takes
    nothing over."""

    def __init__(self, detach: Detach) -> None:
        self._detach = detach
        self._lock = threading.Lock()
        self._socket: TakenSocket | None = None

    def take(self) -> TakenSocket:
        """The socket; RuntimeError if an answer has begun."""
        with self._lock:
            if self._socket is None:
                self._socket = TakenSocket(*self._detach())
            return self._socket

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self.take(), name)


def offer(environ: dict[str, Any], detach: Detach) -> None:
    lazy = LazySocket(detach)
    for key in KEYS:
        environ[key] = lazy
