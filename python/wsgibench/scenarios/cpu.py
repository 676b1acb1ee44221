"""Work for the processor alone: what no design makes faster."""

from __future__ import annotations

import json

HELP = "a list of 100,000 numbers as JSON"
APP = "cpu"
DELAY = 0.02


def BODY() -> bytes:
    return json.dumps({"message": list(range(100000))}).encode()
