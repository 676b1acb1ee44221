"""Our own server, through its command; with a `bind` among the settings, on
that address alone."""

from __future__ import annotations

import sys
from typing import Any


def command(app: str, fd: int, settings: dict[str, Any]) -> list[str]:
    settings = {"bind": "fd://%d" % fd, **settings}
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
        *options,
    ]
