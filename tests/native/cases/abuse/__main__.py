"""Applications that do what no application should, many of them on one
server. Whatever one does, the client gets its answer whole, or an error, or an
answer that is seen to be cut off; and the server serves the next request.

``python -m tests.native.cases.abuse all THREADS [VERSION [NAME ...]]``
"""

from __future__ import annotations

import faulthandler
import signal
import socket
import sys
import threading
from dataclasses import dataclass
from typing import Any

from tests.native.cases.abuse import (  # noqa: F401
    environs,
    files,
    heads,
    inputs,
    returned,
)
from tests.native.cases.abuse.case import ANY, CASES, CUT, FAILS
from tests.native.cases.kit import until
from wsgibench import Server


@dataclass
class Answer:
    status: int
    body: bytes
    whole: bool


class Client:
    """One connection at a time, kept while the server keeps it."""

    def __init__(self, address: Any, version: str) -> None:
        self.address = address
        self.version = version
        self.sock: socket.socket | None = None
        self.data = b""
        self.reset = False

    def ask(self, path: str, body: bytes = b"") -> Answer:
        if self.sock is None:
            self.sock = socket.create_connection(self.address, 20)
            self.data = b""
            self.reset = False
        head = "%s /%s HTTP/%s\r\nHost: a\r\n" % (
            "POST" if body else "GET",
            path,
            self.version,
        )
        if body:
            head += "Content-Length: %d\r\n" % len(body)
        message = head.encode() + b"\r\n" + body
        sender = threading.Thread(target=self._send, args=(message,))
        sender.start()
        try:
            return self._read()
        finally:
            sender.join()

    def _send(self, message: bytes) -> None:
        try:
            assert self.sock is not None
            self.sock.sendall(message)
        except OSError:
            pass

    def close(self) -> None:
        if self.sock is not None:
            self.sock.close()
            self.sock = None

    def _more(self) -> bool:
        assert self.sock is not None
        try:
            piece = self.sock.recv(1 << 18)
        except ConnectionResetError:
            self.reset = True
            return False
        self.data += piece
        return bool(piece)

    def _take(self, size: int) -> bytes:
        while len(self.data) < size and self._more():
            pass
        taken, self.data = self.data[:size], self.data[size:]
        return taken

    def _line(self) -> bytes:
        while b"\r\n" not in self.data and self._more():
            pass
        line, end, self.data = self.data.partition(b"\r\n")
        return line + end

    def _read(self) -> Answer:
        fields: dict[bytes, bytes] = {}
        status = 0
        while True:
            line = self._line()
            if not line.endswith(b"\r\n"):
                self.close()
                return Answer(status, line, False)
            if line == b"\r\n":
                break
            if not status:
                status = int(line.split()[1])
            name, _, value = line.strip().partition(b": ")
            fields[name.lower()] = value
        answer = self._body(status, fields)
        if not answer.whole or fields.get(b"connection") == b"close":
            self.close()
        return answer

    def _body(self, status: int, fields: dict[bytes, bytes]) -> Answer:
        if b"content-length" in fields:
            size = int(fields[b"content-length"])
            body = self._take(size)
            return Answer(status, body, len(body) == size)
        if b"transfer-encoding" in fields:
            body = b""
            while True:
                line = self._line()
                if not line.endswith(b"\r\n"):
                    return Answer(status, body + line, False)
                size = int(line, 16)
                block = self._take(size + 2)
                body += block[:-2]
                if len(block) < size + 2:
                    return Answer(status, body, False)
                if not size:
                    return Answer(status, body, True)
        while self._more():
            pass
        body, self.data = self.data, b""
        whole = not self.reset
        self.close()
        return Answer(status, body, whole)


def is_right(answer: Answer, expected: Any) -> bool:
    if expected == FAILS:
        return answer.status == 500 and answer.whole
    if expected == CUT:
        return not answer.whole
    if expected == ANY:
        return answer.status in (0, 200, 500)
    return (answer.status, answer.body, answer.whole) == (200, expected, True)


def app(environ: dict[str, Any], start_response: Any) -> Any:
    name = environ["PATH_INFO"][1:]
    if name == "other":
        start_response("200 OK", [("Content-Length", "5")])
        return [b"other"]
    return CASES[name][0](environ, start_response)


def all(threads: int, version: str = "1.1", *names: str) -> None:
    """Twice, since much is remembered from the first time."""
    wrong = []
    with Server(app, port=0, threads=threads) as server:
        for _ in range(2):
            client = Client(server.address, version)
            other = Client(server.address, "1.1")
            for name in names or CASES:
                expected, body = CASES[name][1:]
                answer = client.ask(name, body)
                if not is_right(answer, expected):
                    answer.body = answer.body[:60]
                    wrong.append("%s: %s, not %r" % (name, answer, expected))
                assert other.ask("other").body == b"other", name
            client.close()
            other.close()
        # A client has its answer a little before the call is over.
        until(lambda: server.stats()["busy"] == 0, "a call goes on")
    assert not wrong, "\n".join(wrong)


if __name__ == "__main__":
    faulthandler.enable()
    signal.alarm(90)
    sys.setrecursionlimit(300)
    all(int(sys.argv[2]), *sys.argv[3:])
    print("fine", flush=True)
