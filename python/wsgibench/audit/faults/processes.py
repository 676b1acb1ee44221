"""Brings about what happens to processes. Only those of the session that the
audit started are touched. Each function returns what is wrong, "" for
nothing, None where there is nothing to ask."""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from wsgibench.audit.faults.fault import request
from wsgibench.audit.wire.exchange import Address, close_hard, connect
from wsgibench.audit.wire.responses import Malformed, finals, parse_all

#: Seconds.
REPLACED_WITHIN = 15.0
ANSWERED_WITHIN = 15.0
#: Descriptors that a server is left with, and clients that want one.
SPARE = 20
CLIENTS = 60
#: Share of the time in which a thread may run, or want to, while it waits for
#: a descriptor; who spins wants to all the time.
SPINS = 0.5
#: And in which all threads together may run while nobody asks for anything: a
#: timer that goes off ten times a second does not need a hundredth.
IDLE = 0.02
#: Seconds that a thread of the application may take that sleeps for 0.05.
THREAD_WITHIN = 3.0


class Target(Protocol):
    address: Address

    @property
    def pid(self) -> int: ...

    def alive(self) -> bool: ...

    def ask(self, name: str) -> bytes | None: ...


def session(leader: int) -> list[int]:
    """The processes of its session, itself included."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                if int(_stat(int(entry.name))[3]) == leader:
                    found.append(int(entry.name))
    return found


def _stat(pid: int) -> list[str]:
    """The fields behind the command's name, the state first."""
    text = Path("/proc/%d/stat" % pid).read_text()
    return text.rpartition(") ")[2].split()


def _spent(pids: list[int], *, waited: bool) -> dict[Path, float]:
    """Seconds that each thread has run; `waited`: or waited for a CPU, which
    others on the machine do not make fewer."""
    found = {}
    for pid in pids:
        for task in Path("/proc/%d/task" % pid).glob("*"):
            with contextlib.suppress(OSError):
                ran, queued, _ = (task / "schedstat").read_text().split()
                spent = int(ran) + (int(queued) if waited else 0)
                found[task] = spent / 1e9
    return found


def _shares(pids: list[int], *, waited: bool) -> list[float]:
    """Of each thread, in a second; what is measured is a rate."""
    before, began = _spent(pids, waited=waited), time.monotonic()
    time.sleep(1.0)
    after = _spent(pids, waited=waited)
    seconds = time.monotonic() - began
    return [(after[task] - before.get(task, 0)) / seconds for task in after]


def kill_worker(target: Target) -> str | None:
    """The process that answers is killed; another has to take its place."""
    words = target.ask("process")
    worker = int(words) if words and words.strip().isdigit() else 0
    if worker == target.pid or worker not in session(target.pid):
        return None
    os.kill(worker, signal.SIGKILL)
    until = time.monotonic() + REPLACED_WITHIN
    while time.monotonic() < until:
        if target.alive() and target.ask("process") not in (None, words):
            return ""
        time.sleep(0.05)  # no event tells when it serves again
    return "a killed worker was not replaced within %.0f s" % REPLACED_WITHIN


def terminate(target: Target) -> str | None:
    """SIGTERM while an answer is under way: it comes to its end."""
    sock = connect(target.address, ANSWERED_WITHIN)
    try:
        sock.sendall(request("in_parts", lines=("Connection: close",)))
        data = sock.recv(1 << 16)
        while b"\r\n\r\n" not in data or data.endswith(b"\r\n\r\n"):
            piece = sock.recv(1 << 16)
            if not piece:
                return "no answer"
            data += piece
        os.kill(target.pid, signal.SIGTERM)
        while True:
            piece = sock.recv(1 << 16)
            if not piece:
                break
            data += piece
    except OSError as error:
        return "the answer under way at SIGTERM was lost: %s" % error
    finally:
        close_hard(sock)
    try:
        answers = finals(parse_all(data))
    except Malformed as error:
        return "the answer under way at SIGTERM is malformed: %s" % error
    if not answers or not answers[0].complete:
        return "the answer under way at SIGTERM was cut off"
    return ""


@contextlib.contextmanager
def _few_descriptors(pids: list[int]) -> Iterator[None]:
    before = {}
    for pid in pids:
        with contextlib.suppress(OSError):
            used = len(os.listdir("/proc/%d/fd" % pid))
            _, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
            before[pid] = resource.prlimit(
                pid, resource.RLIMIT_NOFILE, (used + SPARE, hard)
            )
    try:
        yield
    finally:
        for pid, limits in before.items():
            with contextlib.suppress(OSError):
                resource.prlimit(pid, resource.RLIMIT_NOFILE, limits)


def descriptors(target: Target) -> str | None:
    """More clients than descriptors: it waits, and goes on afterwards."""
    pids = session(target.pid)
    with _few_descriptors(pids), contextlib.ExitStack() as stack:
        with contextlib.suppress(OSError):  # its queue is full
            for _ in range(CLIENTS):
                stack.callback(close_hard, connect(target.address, 3.0))
        time.sleep(0.5)  # to take what it can
        used = max(_shares(pids, waited=True), default=0.0)
        if not target.alive():
            return "died"
        stack.close()
        if target.ask("last") is None:
            return "answers nobody after it ran out of descriptors"
    if used > SPINS:
        return "runs all the time while it has no descriptor (%.0f %%)" % (
            100 * used
        )
    return ""


def idle(target: Target) -> str | None:
    """Who has nothing to do, does nothing."""
    time.sleep(0.5)  # to end what it had to do before
    used = sum(_shares(session(target.pid), waited=False))
    if used > IDLE:
        return "uses %.0f %% of a CPU while nobody asks" % (100 * used)
    return ""


def background(target: Target) -> str | None:
    """A thread of the application's runs while nobody asks for anything."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(THREAD_WITHIN)
        port = listener.getsockname()[1]
        if target.ask("background?%d" % port) is None:
            return "no answer to who starts a thread"
        try:
            listener.accept()[0].close()
        except socket.timeout:
            return (
                "a thread of the application's stands still between requests"
            )
    return ""


ACTS = {
    "background": background,
    "descriptors": descriptors,
    "idle": idle,
    "kill_worker": kill_worker,
    "terminate": terminate,
}
