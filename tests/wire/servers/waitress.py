"""waitress, through its library: its command takes no inherited socket."""

from __future__ import annotations

import sys
from typing import Any

PROGRAM = """
import importlib, socket, sys, waitress
module, name = sys.argv[1].split(":")
sock = socket.socket(fileno=int(sys.argv[2]))
app = getattr(importlib.import_module(module), name)
waitress.serve(app, sockets=[sock], threads=16, connection_limit=5000)
"""


def command(app: str, fd: int, settings: dict[str, Any]) -> list[str]:
    return [sys.executable, "-c", PROGRAM, app, str(fd)]
