"""A server that says exactly what it is told, byte for byte."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable


class Raw:
    """``answer(requests so far on this connection, data)`` is what is sent
    for what came; None closes. ``received`` keeps all of it by connection.
    ``serve(conn)`` speaks on a connection instead, until it returns."""

    def __init__(
        self,
        answer: Callable[[int, bytes], bytes | None] = lambda asked, data: b"",
        host: str = "127.0.0.1",
        serve: Callable[[socket.socket], None] | None = None,
    ) -> None:
        self.answer = answer
        self.serve = serve
        self.listener = socket.create_server((host, 0), backlog=256)
        self.port = self.listener.getsockname()[1]
        self.url = "http://127.0.0.1:%d/" % self.port
        self.received: list[bytes] = []
        self.reached: list[str] = []
        self.answers_once = False  # and then closes
        self.threads = [threading.Thread(target=self._accept, daemon=True)]
        self.threads[0].start()

    def _accept(self) -> None:
        while True:
            try:
                conn, _ = self.listener.accept()
            except OSError:
                return
            number = len(self.received)
            self.received.append(b"")
            self.reached.append(conn.getsockname()[0])
            thread = threading.Thread(
                target=self._connected, args=(conn, number), daemon=True
            )
            self.threads.append(thread)
            thread.start()

    def _connected(self, conn: socket.socket, number: int) -> None:
        # The load may be over before the last connection is.
        with conn, contextlib.suppress(OSError):
            conn.settimeout(60)
            if self.serve is None:
                self._serve(conn, number)
            else:
                self.serve(conn)

    def _serve(self, conn: socket.socket, number: int) -> None:
        while data := conn.recv(65536):
            self.received[number] += data
            asked = self.received[number].count(b"\r\n\r\n")
            said = self.answer(asked, data)
            if said is None:
                return
            conn.sendall(said)
            if self.answers_once:
                return

    def close(self) -> None:
        if self.listener.fileno() < 0:
            return
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
