"""A list of targets: one a line, ``[WEIGHT] [METHOD] TARGET``.

``#`` starts a comment. A target with weight 3 is asked for three times as
often as one with weight 1; the shares are exact, only the order is random.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

from wsgibench.errors import UsageError
from wsgibench.load.spec import Entry

MAX_WEIGHTS = 1_000_000
MIN_TURNS = 1_000  # before the order repeats itself


def _entry(line: str, where: str, method: str) -> Entry:
    words = line.split()
    weight = 1
    if len(words) > 1 and words[0].isdigit():
        weight = int(words.pop(0))
    if len(words) == 2 and words[0].isalpha():
        method = words.pop(0).upper()
    if len(words) != 1 or not words[0].startswith("/") or weight < 1:
        raise UsageError(
            "%s: %r is not like '3 GET /path' or '/path'." % (where, line)
        )
    return Entry(words[0], method, weight=weight)


def read_list(path: str, method: str) -> list[Entry]:
    try:
        lines = Path(path).read_text().splitlines()
    except OSError as error:
        raise UsageError(
            "cannot read %s: %s." % (path, error.strerror)
        ) from error
    entries = []
    for number, line in enumerate(lines, 1):
        line = line.partition("#")[0].strip()
        if line:
            where = "%s, line %d" % (path, number)
            entries.append(_entry(line, where, method))
    if not entries:
        raise UsageError("there is no target in %s." % path)
    return entries


def turns(entries: Sequence[Entry], seed: int) -> list[int]:
    """Which entry when, over and over; empty: in turn."""
    if all(entry.weight == 1 for entry in entries):
        return []
    if sum(entry.weight for entry in entries) > MAX_WEIGHTS:
        raise UsageError("the weights sum to more than %d." % MAX_WEIGHTS)
    once = [
        number
        for number, entry in enumerate(entries)
        for _ in range(entry.weight)
    ]
    order = once * -(-MIN_TURNS // len(once))
    random.Random(seed).shuffle(order)
    return order
