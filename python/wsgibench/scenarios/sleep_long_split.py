"""Waiting three times, by the loop where there is one."""

from __future__ import annotations

from wsgibench.scenarios.hello import BODY as BODY

HELP = "the same three waits, by the loop where the server has one"
APP = "sleep_long_split"
DELAY = 0.28
