"""A web server on this machine (nginx)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from wsgibench.services import _nginx
from wsgibench.services._process import ProcessService, free_port

HELP = "a web server on this machine (nginx)"
PACKAGES = _nginx.PACKAGES
missing = _nginx.missing_nginx


def start(folder: Path, needed: dict[str, Any]) -> ProcessService:
    return _nginx.start("near-origin", folder, "127.0.0.1", free_port())
