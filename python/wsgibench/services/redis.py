"""Redis, in memory only."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

from wsgibench.services import _content
from wsgibench.services._process import ProcessService, free_port, program
from wsgibench.services._process import missing as missing_program

HELP = "Redis, in memory only"
PACKAGES = ("redis-server",)


def missing() -> str:
    return missing_program("redis-server", PACKAGES, program("redis-server"))


def _command(port: int, *words: bytes) -> bytes:
    """One command in Redis' protocol, and its answer."""
    parts = b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in words)
    with socket.create_connection(("127.0.0.1", port), timeout=5) as client:
        client.sendall(b"*%d\r\n%s" % (len(words), parts))
        answer = b""
        while not answer.endswith(b"\r\n"):
            block = client.recv(4096)
            if not block:
                break
            answer += block
        return answer


def _check(port: int) -> str:
    try:
        key = _content.KEY.encode()
        if _command(port, b"SET", key, _content.VALUE) != b"+OK\r\n":
            return "it took no value"
    except OSError as error:
        return str(error)
    return ""


def start(folder: Path, needed: dict[str, Any]) -> ProcessService:
    port = free_port()
    command = [program("redis-server"), "--port", str(port)]
    command += ["--bind", "127.0.0.1", "--dir", str(folder)]
    command += ["--save", "", "--appendonly", "no"]
    settings = {"host": "127.0.0.1", "port": port, "key": _content.KEY}
    return ProcessService(
        "redis", command, folder, settings, lambda: _check(port)
    )
