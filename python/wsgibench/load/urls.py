"""A list of targets: one a line, ``[WEIGHT] [METHOD] TARGET``.

Lines below it that begin with a blank belong to it: ``Name: value`` is a
header, ``@FILE`` its body, ``= TEXT`` too. ``#`` begins a comment. A target
with weight 3 is asked for three times as often as one with weight 1; the
shares are exact, only the order is random.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import replace

from wsgibench import bounded
from wsgibench.errors import UsageError
from wsgibench.load.headers import parse_header, text_lines
from wsgibench.load.message import as_bytes
from wsgibench.load.spec import MAX_WEIGHTS, Entry
from wsgibench.load.values import whole

METHOD = re.compile(r"[A-Za-z][!#$%&'*+.^_`|~0-9A-Za-z-]*")
MIN_TURNS = 1_000  # before the order repeats itself


def _entry(line: str, where: str, method: str) -> Entry:
    words = line.split()
    weight = 1
    if len(words) > 1 and words[0][0].isdecimal():
        weight = whole(words.pop(0), MAX_WEIGHTS) or 0
    if len(words) == 2 and METHOD.fullmatch(words[0]):
        method = words.pop(0).upper()
    if len(words) != 1 or not words[0].startswith("/") or weight < 1:
        raise UsageError(
            "%s: %r is not like '3 GET /path' or '/path'." % (where, line)
        )
    return Entry(words[0], method, weight=weight)


def _with(entry: Entry, line: str, where: str) -> Entry:
    """The entry with what an indented line says."""
    if line.startswith("="):
        return replace(entry, body=as_bytes(line[1:].strip()))
    if line.startswith("@"):
        try:
            body = bounded.read(line[1:].strip(), may_wait=True)
        except UsageError as error:
            raise UsageError("%s: %s" % (where, error)) from error
        return replace(entry, body=body)
    header = parse_header(line)
    return replace(entry, headers=(*entry.headers, header))


def read_list(path: str, method: str) -> list[Entry]:
    lines = text_lines(bounded.read(path, may_wait=True))
    entries: list[Entry] = []
    for number, line in enumerate(lines, 1):
        where = "%s, line %d" % (path, number)
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if line[0] in " \t" and entries:
            entries[-1] = _with(entries[-1], line.strip(), where)
            continue
        # A fragment is never sent, so "#" behind a blank is a comment.
        words = re.split(r"\s#", line, maxsplit=1)[0]
        entries.append(_entry(words, where, method))
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
