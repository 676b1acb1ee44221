"""Our own server, through its command."""

from __future__ import annotations

import sys
from typing import Any


def command(app: str, fd: int, settings: dict[str, Any]) -> list[str]:
    options = [
        "--%s=%s" % (name.replace("_", "-"), value)
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
