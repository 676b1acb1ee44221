"""Waiting that a loop can do for the work."""

from __future__ import annotations

from wsgibench.scenarios.hello import BODY as BODY

HELP = "0.1 s of waiting by the loop, where the server has one"
APP = "sleep_async"
DELAY = 0.1
