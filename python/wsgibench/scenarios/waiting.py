"""Waiting, by the blocking call or by the server's loop."""

from __future__ import annotations

from typing import Any

from wsgibench.scenarios.pages import HELLO

SCENARIOS: dict[str, dict[str, Any]] = {
    "sleep": {
        "about": "0.1 s of blocking time.sleep, then the page",
        "app": "sleep",
        "body": HELLO,
        "delay": 0.1,
    },
    "sleep-async": {
        "about": "0.1 s of waiting by the loop, where the server has one",
        "app": "sleep_async",
        "body": HELLO,
        "delay": 0.1,
    },
    "sleep-async-split": {
        "about": "0.1 s of waiting by the loop in ten pieces",
        "app": "sleep_async_split",
        "body": HELLO,
        "delay": 0.1,
    },
    "sleep-long": {
        "about": "0.02, 0.06 and 0.2 s of blocking time.sleep, then the page",
        "app": "sleep_long",
        "body": HELLO,
        "delay": 0.28,
    },
    "sleep-long-split": {
        "about": "the same three waits, by the loop where the server has one",
        "app": "sleep_long_split",
        "body": HELLO,
        "delay": 0.28,
    },
}
