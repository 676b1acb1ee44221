"""Where designs break: waiting with the blocking call."""

from __future__ import annotations

from wsgibench.scenarios.hello import BODY as BODY

HELP = "0.1 s of blocking time.sleep, then the page"
APP = "sleep"
DELAY = 0.1
