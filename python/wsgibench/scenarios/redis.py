"""One value from Redis."""

from __future__ import annotations

from wsgibench.services import _content

HELP = "a value from Redis"
APP = "redis_get"
BODY = _content.VALUE
REQUIRES = ["redis"]
SERVICES = ["redis"]
