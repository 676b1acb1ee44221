"""All that an operator does and suffers, at once: workers are replaced by
SIGHUP and killed, the disk of the access log is full, the reader of the error
log is gone. Clients on kept connections, each request with a word that must
come back."""

from __future__ import annotations

import os
import random
import select
import signal
import socket
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests.faults.case import APP, Start, address_of, answers
from tests.faults.figure import Figure, least, most
from tests.faults.loop_clients import Threads
from tests.native.process import PATIENCE, children, until
from tests.wire.target import Target
from wsgibench.audit.wire.exchange import connect

HELP = "SIGHUP, kill -9, a full log disk and a log that nobody reads, at once"
SMALL: dict[str, Any] = {
    "seconds": 4,
    "clients": 8,
    "workers": 2,
    "renew": 1.5,
    "kill": 1.2,
}
FULL: dict[str, Any] = {
    "seconds": 60,
    "clients": 64,
    "workers": 4,
    "renew": 5,
    "kill": 3,
}


class Clients(Threads):
    """Threads that ask /who?word; they know whose answer was lost."""

    def __init__(self, address: tuple[str, int], count: int) -> None:
        super().__init__(count)
        self.address = address
        self.answers: Counter[int] = Counter()  # by worker
        self.lost: Counter[int] = Counter()  # 0: nobody had answered yet
        self.refused = 0
        self.wrong: list[bytes] = []

    def has(self, workers: int, answers: float) -> bool:
        """So many answers, of so many workers."""
        with self._lock:
            return (
                len(self.answers) >= workers
                and sum(self.answers.values()) >= answers
            )

    def _work(self) -> None:
        while not self._over.is_set():
            try:
                sock = connect(self.address, 60.0)
            except OSError:
                self.refused += 1
                continue
            with sock:
                self._converse(sock)

    def _converse(self, sock: socket.socket) -> None:
        """Until the server says that it closes, or breaks off."""
        worker = 0
        with sock.makefile("rb") as stream:
            while not self._over.is_set():
                if worker and is_closed(sock):
                    return  # while it was idle: clients look before they ask
                word = b"%x" % random.getrandbits(64)
                try:
                    pid, text, closes = ask(sock, stream, word)
                except (OSError, EOFError):
                    with self._lock:
                        self.lost[worker] += 1
                    return
                with self._lock:
                    self.answers[pid] += 1
                    if text != word:
                        self.wrong.append(text)
                worker = pid
                if closes:
                    return


def is_closed(sock: socket.socket) -> bool:
    return bool(select.select([sock], [], [], 0)[0])


def ask(
    sock: socket.socket, stream: Any, word: bytes
) -> tuple[int, bytes, bool]:
    """The worker's pid, the word that came back, does the server close."""
    sock.sendall(b"GET /who?%s HTTP/1.1\r\nHost: a\r\n\r\n" % word)
    lines: list[bytes] = []
    while not lines or lines[-1]:
        line = stream.readline()
        if not line:
            raise EOFError
        lines.append(line.rstrip(b"\r\n"))
    size = next(
        int(line.split(b":")[1])
        for line in lines
        if line.lower().startswith(b"content-length:")
    )
    body = stream.read(size)
    if len(body) < size:
        raise EOFError
    pid, _, text = body.partition(b" ")
    return int(pid), text, b"Connection: close" in lines


class Disaster:
    """What goes wrong with the logs, on the way."""

    def __init__(self, folder: str) -> None:
        self.access = Path(folder) / "access"
        self.errors = Path(folder) / "errors"
        os.mkfifo(self.errors)
        self._reader = os.open(self.errors, os.O_RDONLY | os.O_NONBLOCK)

    def strike(self, pid: int) -> None:
        os.close(self._reader)
        self.access.rename(self.access.with_suffix(".1"))
        self.access.symlink_to("/dev/full")
        os.kill(pid, signal.SIGUSR1)


def torment(
    target: Target,
    disaster: Disaster,
    plan: dict[str, float],
    enough: Callable[[], bool],
) -> tuple[int, set[int]]:
    """How often workers were renewed, and those that were killed. Where the
    machine is slow it takes longer than planned."""
    began = time.monotonic()
    half = began + plan["seconds"] / 2
    renew_at, kill_at = began + plan["renew"], began + plan["kill"]
    renewed, killed, struck = 0, set[int](), False
    now = began
    while (
        now < began + plan["seconds"]
        or not (renewed >= 2 and len(killed) >= 2 and enough())
    ) and now < began + plan["seconds"] + PATIENCE:
        time.sleep(0.02)  # the pace of the torment
        now = time.monotonic()
        if not struck and now > half:
            struck = True
            disaster.strike(target.pid)
        if now > renew_at:
            renew_at = now + plan["renew"]
            os.kill(target.pid, signal.SIGHUP)
            renewed += 1
        if now > kill_at:
            kill_at = now + plan["kill"]
            until(lambda: children(target.pid), "there is no worker")
            victim = random.choice(sorted(children(target.pid)))
            os.kill(victim, signal.SIGKILL)
            killed.add(victim)
    return renewed, killed


def run(
    start: Start,
    seconds: float,
    clients: int,
    workers: int,
    renew: float,
    kill: float,
) -> Iterator[Figure]:
    plan = {"seconds": seconds, "renew": renew, "kill": kill}
    with tempfile.TemporaryDirectory() as folder:
        disaster = Disaster(folder)
        with start(
            APP,
            workers=workers,
            access_log=disaster.access,
            error_log=disaster.errors,
        ) as target:
            assert answers(target)
            with Clients(address_of(target), clients) as load:
                renewed, killed = torment(
                    target,
                    disaster,
                    plan,
                    lambda: load.has(2 * workers, 100 * seconds),
                )
            assert target.alive
            assert answers(target)
    others = sum(
        n for pid, n in load.lost.items() if pid and pid not in killed
    )
    yield least("times renewed", renewed, 2)
    yield least("workers killed", len(killed), 2)
    yield least("workers that answered", len(load.answers), 2 * workers)
    yield least("answers", sum(load.answers.values()), 100 * seconds)
    yield most("wrong answers", len(load.wrong), 0)
    yield most("refused connections", load.refused, 0)
    yield most("lost of workers that were not killed", others, 0)
    own = sum(load.lost[pid] for pid in killed)
    yield most("lost of the killed", own, clients * len(killed))
    yield most("lost at the first", load.lost[0], clients * len(killed))
