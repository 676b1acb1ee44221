"""Numbers as users write them: ``10s``, ``200,3xx``, ``60s:500``."""

from __future__ import annotations

import math
import re

from wsgibench.errors import UsageError

#: seconds, rate at its start, rate at its end
Stage = tuple[float, float, float]

UNITS = {"ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0, "": 1.0}
TIME = re.compile(r"(\d+\.?\d*|\.\d+)(ms|s|m|h|)")


def whole(text: str, most: int) -> int | None:
    """A number of ASCII digits, up to ``most``; None: it is none."""
    if re.fullmatch(r"[0-9]{1,20}", text) is None or int(text) > most:
        return None
    return int(text)


def seconds(text: str) -> float:
    """Of ``10``, ``10s``, ``1.5m``, ``200ms``."""
    match = TIME.fullmatch(text.strip())
    if match is None:
        raise UsageError("%r is not a time like 10, 10s or 200ms." % text)
    return float(match[1]) * UNITS[match[2]]


def number(text: str, what: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise UsageError("%r is not %s." % (text, what))
    return value


def pair(text: str, what: str) -> tuple[float, float]:
    """``A:B``; ``A`` alone leaves B 0, and nothing both."""
    first, _, second = text.partition(":")
    return number(first or "0", what), number(second or "0", what)


def rate(text: str) -> tuple[float, float | None]:
    """(rate, at the end of a ramp); of ``1000`` or ``100:5000``."""
    first, end = pair(text, "a rate like 1000 or 100:5000")
    return first, end if ":" in text else None


def slowly(text: str) -> tuple[int, float]:
    """(bytes, seconds); of ``1:0.1``."""
    size, gap = pair(text, "SIZE:SECONDS")
    if size < 1 or size % 1:
        raise UsageError("%r has no whole number of bytes." % text)
    return round(size), gap


def _parts(text: str, what: str) -> list[tuple[float, float]]:
    found = []
    for part in text.split(","):
        time, colon, at = part.partition(":")
        if not colon:
            raise UsageError("%r is not %s." % (part, what))
        found.append((seconds(time), number(at, what)))
    return found


def stages(text: str) -> tuple[Stage, ...]:
    """``10s:100,60s:500``: evenly to 100 in 10 s, then to 500 in 60 s."""
    before = 0.0
    made = []
    for time, to in _parts(text, "a stage like 60s:500"):
        made.append((time, before, to))
        before = to
    return tuple(made)


def steps(text: str) -> tuple[Stage, ...]:
    """``10s:100,60s:500``: 100 for 10 s, then 500 for 60 s."""
    found = _parts(text, "a step like 60s:500")
    return tuple((time, at, at) for time, at in found)


def think(text: str) -> tuple[float, float]:
    """``0.5`` or ``0.5:1.5``: the least and the most."""
    if not text:
        return 0.0, 0.0
    least, _, most = text.partition(":")
    return seconds(least), seconds(most or least)


def statuses(text: str) -> tuple[int, ...]:
    """``200,204,3xx``; ``0`` and ``2xx`` are any success."""
    found: list[int] = []
    for part in text.split(","):
        word = part.strip().lower()
        if re.fullmatch(r"[1-9]xx", word):
            first = 100 * int(word[0])
            found += range(first, first + 100)
        elif re.fullmatch(r"[1-9]\d\d", word):
            found.append(int(word))
        elif word != "0" or "," in text:
            raise UsageError("%r is not a status like 200 or 3xx." % part)
    return tuple(found)


def percentiles(text: str) -> tuple[float, ...]:
    found = []
    for part in text.split(","):
        value = number(part.strip().lstrip("p"), "a percentile like 99.9")
        if not 0 <= value <= 100:
            raise UsageError("%r is not a percentile like 99.9." % part)
        found.append(value)
    return tuple(found)
