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
        for name, given in settings.items()
        for value in (given if isinstance(given, list) else [given])
    ]
    return [
        sys.executable,
        "-m",
        "wsgibench",
        "serve",
        app,
        *options,
    ]
