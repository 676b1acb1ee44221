"""Our own server as a library: wsgibench.Server in threads of a program."""

from __future__ import annotations

import json
import sys
from typing import Any

PROGRAM = """
import importlib, json, sys, threading, wsgibench
module, name = sys.argv[1].split(":")
app = getattr(importlib.import_module(module), name)
settings = json.loads(sys.argv[3])
with wsgibench.Server(app, bind="fd://" + sys.argv[2], **settings):
    threading.Event().wait()
"""


def command(app: str, fd: int, settings: dict[str, Any]) -> list[str]:
    settings = {"backlog": -1, **settings}
    return [sys.executable, "-c", PROGRAM, app, str(fd), json.dumps(settings)]
