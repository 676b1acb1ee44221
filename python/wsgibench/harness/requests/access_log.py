"""An access log, in the common or the combined format.

    127.0.0.1 - - [10/Oct/2000:13:55:36 -0700] "GET /a HTTP/1.1" 200 2326
    (combined: the same, then "referer" "user agent")

Bodies are not in a log, so requests that had one are left out. A target that
comes often gets that weight.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from pathlib import Path

from wsgibench.errors import UsageError
from wsgibench.harness.requests.request import (
    TARGET,
    Headers,
    Request,
    checked,
)

LINE = re.compile(
    r'\S+ \S+ .+? \[[^\]]+\] "((?:[^"\\]|\\.)*)" \d{3} \S+'
    r'(?: "((?:[^"\\]|\\.)*)" "((?:[^"\\]|\\.)*)")?'
)
ESCAPE = re.compile(rb'\\(?:x([0-9a-fA-F]{2})|(["\\]))')
#: What is asked at most: a target more is a message more to keep.
MOST = 20_000


def fits(line: str) -> bool:
    return LINE.match(line) is not None


def read(
    text: str, path: Path, sample: int, seed: int
) -> tuple[list[Request], list[str]]:
    """(requests, remarks); `sample` lines at random, 0: all."""
    lines = [line for line in text.splitlines() if line.strip()]
    asked: list[tuple[str, str, Headers]] = []
    strange, bodies = 0, 0
    for line in lines:
        found = LINE.match(line)
        words = found.group(1).split(" ") if found else []
        target = _encoded(words[1]) if len(words) == 3 else ""
        if found is None or not TARGET.fullmatch(target) or target[0] != "/":
            strange += 1
        elif words[0] not in ("GET", "HEAD"):
            bodies += 1
        else:
            asked.append((words[0], target, _headers(*found.groups()[1:])))
    if not asked:
        raise UsageError("%s has no GET or HEAD request." % path)
    remarks = []
    if strange:
        remarks.append(
            "%d of %d lines of %s are no requests: left out"
            % (strange, len(lines), path.name)
        )
    if bodies:
        remarks.append(
            "%d requests of %s may have had bodies, which a log does not "
            "tell: left out" % (bodies, path.name)
        )
    if sample > len(asked):
        remarks.append(
            "%s has %d requests to take %d from: all of them are asked"
            % (path.name, len(asked), sample)
        )
    if sample and sample < len(asked):
        asked = random.Random(seed).sample(asked, sample)
    counts = Counter(asked)
    if len(counts) > MOST:
        raise UsageError(
            "%s has %d different requests, and %d can be raced; take some of "
            "them with --sample." % (path, len(counts), MOST)
        )
    requests = [
        checked(Request(method, target, headers, weight=weight), str(path))
        for (method, target, headers), weight in counts.items()
    ]
    return requests, remarks


def _encoded(target: str) -> str:
    """As it was sent, without the log's escapes; what never could be in a
    target percent-encoded."""
    return "".join(
        chr(byte)
        if 0x20 < byte < 0x7F and chr(byte) not in '"\\'
        else "%%%02X" % byte
        for byte in _unescaped(target)
    )


def _unescaped(text: str) -> bytes:
    """nginx writes \\x22, Apache \\" and \\x0a."""
    return ESCAPE.sub(
        lambda found: (
            bytes.fromhex(found[1].decode()) if found[1] else found[2]
        ),
        text.encode("utf-8", "surrogateescape"),
    )


def _headers(referer: str | None, agent: str | None) -> Headers:
    pairs = (("Referer", referer), ("User-Agent", agent))
    return tuple(
        (name, text)
        for name, value in pairs
        if value and value != "-"
        for text in [_unescaped(value).decode("latin-1")]
        if text.isascii() and text.isprintable()
    )
