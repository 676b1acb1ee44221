"""Waiting three times with the blocking call."""

from __future__ import annotations

from wsgibench.scenarios.hello import BODY as BODY

HELP = "0.02, 0.06 and 0.2 s of blocking time.sleep, then the page"
APP = "sleep_long"
DELAY = 0.28
