"""Reading what tools print."""

from __future__ import annotations

import re

#: nanoseconds; wrk and h2load write their own units
UNITS = {"ns": 1.0, "us": 1e3, "ms": 1e6, "s": 1e9, "m": 60e9, "h": 3600e9}


def nanoseconds(text: str) -> float:
    """Of ``1.25ms``."""
    match = re.fullmatch(r"([\d.]+)(ns|us|ms|s|m|h)", text.strip())
    if match is None:
        raise ValueError("%r is not a time" % text)
    return float(match[1]) * UNITS[match[2]]


def number(pattern: str, text: str, default: float | None = None) -> float:
    """The first group; ValueError where there is none and no default."""
    match = re.search(pattern, text, re.MULTILINE)
    if match is not None:
        return float(match[1])
    if default is None:
        raise ValueError("no %r" % pattern)
    return default


def count(pattern: str, text: str) -> int:
    return int(number(pattern, text, 0))
