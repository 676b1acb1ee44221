"""Files that users name, read in bounded memory. UsageError, one sentence,
for what cannot be read or is no JSON."""

from __future__ import annotations

import json
import math
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

from wsgibench.errors import UsageError

#: Bytes of a file. The standard profile of the largest suite has half of it.
LARGEST = 256 << 20
#: Of one that a person writes: settings, headers, a list of variables.
SMALL = 1 << 20
#: Values in it: a parsed one takes up to about 100 bytes.
MOST_VALUES = 40_000_000
HEAD = 4096


def read(
    path: Path | str,
    check: Callable[[bytes], None] = lambda head: None,
    *,
    may_wait: bool = False,
    most: int | None = None,
) -> bytes:
    """`check` sees the first bytes before the others are read, and raises a
    UsageError of its own. A pipe is read where who writes it may be waited
    for. At most so many bytes: else LARGEST."""
    most = LARGEST if most is None else most
    try:
        if not may_wait and not stat.S_ISREG(os.stat(path).st_mode):
            raise UsageError("%s is not a file." % path)
        with open(path, "rb") as file:
            head = file.read(HEAD)
            check(head)
            data = head + file.read(most + 1 - len(head))
    except (OSError, ValueError) as error:  # a null byte in its name
        why = getattr(error, "strerror", None) or error
        raise UsageError("cannot read %s: %s." % (path, why)) from error
    if len(data) > most:
        raise UsageError(
            "%s is too large: it has over %d MiB." % (path, most >> 20)
        )
    return data


def parsed(path: Path | str, data: bytes, most: int = MOST_VALUES) -> Any:
    """JSON of at most so many values; NaN and Infinity are none, nor is what
    a float cannot hold (1e400)."""
    values = sum(map(data.count, (b",", b"[", b"{")))
    if values > most:
        raise UsageError(
            "%s is too large: it has over %d values." % (path, most)
        )
    try:
        return json.loads(data, parse_constant=_no_number, parse_float=_finite)
    except RecursionError as error:
        raise UsageError("%s is nested too deep." % path) from error
    except ValueError as error:
        raise UsageError("%s is not JSON: %s." % (path, error)) from error


def _no_number(text: str) -> float:
    raise ValueError("%.20s is no number" % text)


def _finite(text: str) -> float:
    value = float(text)
    return value if math.isfinite(value) else _no_number(text)
