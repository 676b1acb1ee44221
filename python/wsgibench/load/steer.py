"""A run whose end is decided elsewhere, while it runs.

Over a socket that was handed down it tells, at every look, how far it is; a
byte that comes back ends it, as its clock would have.
"""

from __future__ import annotations

import socket

from wsgibench.load.generator import Live, OnLive


class Steered:
    """An ``on_live`` that passes on what it is told to another one, and ends
    the run as Ctrl-C does; `enough` says that it is whole nevertheless."""

    def __init__(self, fd: int, on_live: OnLive | None) -> None:
        self._socket = socket.socket(fileno=fd)
        self._socket.setblocking(False)
        self._on_live = on_live
        self.ended = False
        self.enough = False

    def __call__(self, live: Live) -> None:
        if self._on_live is not None:
            self._on_live(live)
        if self.ended:
            return
        try:
            self._socket.send(b"%d %d\n" % (live["elapsed_ns"], live["ok"]))
            told = self._socket.recv(1)
        except BlockingIOError:
            return
        except OSError:
            told = b""  # who steered is gone
        self.ended = True
        self.enough = bool(told)
        raise KeyboardInterrupt
