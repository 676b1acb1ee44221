"""The same waiting in ten pieces."""

from __future__ import annotations

from wsgibench.scenarios.hello import BODY as BODY

HELP = "0.1 s of waiting by the loop in ten pieces"
APP = "sleep_async_split"
DELAY = 0.1
