"""Figures of c-uv that are counted, not timed; `run --counted` has the
others."""

from __future__ import annotations

import contextlib
import os
import resource
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from wsgibench.errors import WsgibenchError
from wsgibench.harness import environments, scenario, servers
from wsgibench.harness.counted import calls, start
from wsgibench.harness.counted.targets import Subject
from wsgibench.harness.interpreters import Interpreter
from wsgibench.harness.plan import Load
from wsgibench.harness.process import TargetProcess

IDLE = 10_000


def tell(text: str) -> None:
    print(text, file=sys.stderr)


@contextlib.contextmanager
def target(interpreter: Interpreter) -> Iterator[TargetProcess]:
    environment = environments.get(interpreter, "c-uv", tell)
    with (
        tempfile.TemporaryDirectory() as folder,
        TargetProcess(
            environment,
            servers.find("c-uv"),
            scenario.find("hello"),
            log=Path(folder) / "log",
        ) as process,
    ):
        yield process


def _load(process: TargetProcess, requests: int, connections: int) -> None:
    url = "http://%s:%d/" % process.address[:2]
    subprocess.run(
        [
            *(sys.executable, "-m", "wsgibench", "load", url, "-q"),
            *("-c", str(connections), "-n", str(requests), "-d", "60"),
            *("--headers", "browser"),
        ],
        check=True,
        env=dict(os.environ, PYTHONPATH=os.pathsep.join(sys.path)),
    )


def system_calls_per_request(interpreter: Interpreter) -> float:
    """Of keep-alive requests on 64 connections, epoll_wait included."""
    if not calls.available():
        raise WsgibenchError("strace is needed to count system calls.")
    load = Load(
        connections=64,
        duration=1.0,
        warmup=0.0,
        keepalive=True,
        headers="browser",
    )
    subject = Subject(
        servers.find("c-uv"),
        scenario.find("hello"),
        load,
        environments.get(interpreter, "c-uv", tell),
        {},
    )
    return sum(start.system_calls([subject])[0]["calls"].values())


def _anonymous(pid: int) -> int:
    """Bytes of memory that are the process's own."""
    for line in Path("/proc/%d/status" % pid).read_text().splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) * 1024
    raise WsgibenchError("/proc/%d/status has no RssAnon." % pid)


def memory_per_idle_connection(interpreter: Interpreter) -> float:
    """User-space bytes of each of 10,000 connections that were served once
    and rest."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    request = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
    with target(interpreter) as process, contextlib.ExitStack() as stack:
        _load(process, 2000, 64)
        before = _anonymous(process.pid)
        for _ in range(IDLE):
            sock = stack.enter_context(
                socket.create_connection(process.address[:2], 20)
            )
            sock.sendall(request)
            if not sock.recv(4096).startswith(b"HTTP/1.1 200 "):
                raise WsgibenchError("a connection was not answered.")
        return (_anonymous(process.pid) - before) / IDLE
