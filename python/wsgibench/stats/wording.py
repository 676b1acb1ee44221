"""Sentences of several starts or rows as one."""

from __future__ import annotations

import re
from collections.abc import Sequence

#: A number, or a span of them that an earlier call made.
NUMBER = re.compile(r"\d+(?:\.\d+)?(?: to \d+(?:\.\d+)?)?")


def together(reasons: Sequence[str]) -> list[str]:
    """Each sentence once: where several say the same with numbers of their
    own, the least and the largest stand for them."""
    said: dict[str, list[list[str]]] = {}
    for reason in reasons:
        words = NUMBER.sub("%s", reason.replace("%", "%%"))
        said.setdefault(words, []).append(NUMBER.findall(reason))
    found = []
    for words, numbers in sorted(said.items()):
        spans = []
        for values in zip(*numbers):
            every = [one for text in values for one in text.split(" to ")]
            ends = min(every, key=float), max(every, key=float)
            spans.append(" to ".join(dict.fromkeys(ends)))
        found.append(words % tuple(spans))
    return found
