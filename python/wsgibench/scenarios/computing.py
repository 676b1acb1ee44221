"""Work for the processor alone: what no design makes faster."""

from __future__ import annotations

import json
from typing import Any


def numbers() -> bytes:
    return json.dumps({"message": list(range(100000))}).encode()


SCENARIOS: dict[str, dict[str, Any]] = {
    "cpu": {
        "about": "a list of 100,000 numbers as JSON",
        "app": "cpu",
        "body": numbers,
        "delay": 0.02,
    },
}
