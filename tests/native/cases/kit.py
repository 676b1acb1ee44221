"""What the cases have in common."""

from __future__ import annotations

import contextlib
import faulthandler
import gc
import inspect
import socket
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any, Callable

from wsgibench import Server

PATIENCE = 60.0
REQUEST = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"

Application = Callable[..., Any]


def text(start_response: Any, body: bytes, status: str = "200 OK") -> Any:
    start_response(status, [("Content-Length", str(len(body)))])
    return [body]


class Body:
    """An endless iterable that notes its close()."""

    def __init__(self, block: bytes = b"x" * 100_000) -> None:
        self.block = block
        self.closed = 0
        self.on_block: Callable[[], None] = lambda: None

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        self.on_block()
        return self.block

    def close(self) -> None:
        self.closed += 1


@contextlib.contextmanager
def raises(kind: type[Exception], words: str) -> Iterator[None]:
    """As of pytest, which takes longer to import than a case to run."""
    said = "no " + kind.__name__
    try:
        yield
    except kind as error:
        said = str(error)
    assert words in said, said


def connect(server: Server, raw: bytes = REQUEST) -> socket.socket:
    client = socket.create_connection(server.address[:2], PATIENCE)
    client.sendall(raw)
    return client


def receive(client: socket.socket) -> bytes:
    """Until the server closes."""
    data = b""
    while True:
        try:
            piece = client.recv(1 << 18)
        except ConnectionResetError:
            return data
        if not piece:
            return data
        data += piece


def one_answer(client: socket.socket) -> bytes:
    """Head and body of an answer with a Content-Length."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = client.recv(1 << 16)
        if not piece:
            return data
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    size = 0
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            size = int(line.split()[1])
    while len(body) < size:
        piece = client.recv(1 << 16)
        if not piece:
            break
        body += piece
    return head + b"\r\n\r\n" + body


def until(condition: Callable[[], object], what: str = "it") -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.005)


def turn_until(server: Server, condition: Callable[[], object]) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        if server.core.stopped or server.turn(0.02) < 0:
            return


def collect() -> bool:
    for _ in range(3):
        gc.collect()
    return True


def collected(reference: Callable[[], object]) -> bool:
    return collect() and reference() is None


class Serving:
    """The server is driven by turn() in this thread (threads 0), or runs in
    its own. ``until()`` lets it go on until something has happened."""

    def __init__(
        self, app: Application, threads: int, **settings: Any
    ) -> None:
        self.server = Server(app, port=0, threads=threads, **settings)
        self.threads = threads
        if threads:
            self.server.start()

    def until(self, condition: Callable[[], object]) -> None:
        if self.threads:
            until(condition)
        else:
            turn_until(self.server, condition)

    def ask(self, raw: bytes = REQUEST) -> bytes:
        """An answer, while the server is served."""
        answers: list[bytes] = []

        def fetch() -> None:
            with connect(self.server, raw) as client:
                answers.append(one_answer(client))

        thread = threading.Thread(target=fetch)
        thread.start()
        self.until(lambda: answers)
        thread.join()
        return answers[0]


def cases_of(module: dict[str, Any]) -> dict[str, Any]:
    """Its functions of one argument, `threads`."""
    return {
        name: value
        for name, value in module.items()
        if inspect.isfunction(value)
        and value.__module__ == module["__name__"]
        and list(inspect.signature(value).parameters) == ["threads"]
    }


def main(cases: dict[str, Any]) -> None:
    faulthandler.enable()
    name, threads = sys.argv[1], int(sys.argv[2])
    cases[name](threads)
    print("fine", flush=True)
