"""gunicorn with threads: it must answer more than one connection at once."""

from __future__ import annotations

import sys
from typing import Any


def command(app: str, fd: int, settings: dict[str, Any]) -> list[str]:
    return [
        sys.executable,
        "-m",
        "gunicorn",
        "--bind=fd://%d" % fd,
        "--worker-class=gthread",
        "--threads=%d" % (settings.get("threads") or 16),
        "--log-level=critical",
        app,
    ]
