"""Our own server, through its command."""

from __future__ import annotations

import sys
from typing import Any


def command(app: str, fd: int, settings: dict[str, Any]) -> list[str]:
    options = [
        "--"
        + name.replace("_", "-")
        + ("" if value is True else "=%s" % value)
        for name, value in settings.items()
    ]
    return [
        sys.executable,
        "-m",
        "wsgibench",
        "serve",
        app,
        "--bind=fd://%d" % fd,
        *options,
    ]
