"""The answer before the numbers: a few sentences."""

from __future__ import annotations

import textwrap
from typing import Any

from wsgibench.stats import answers, choice

HELP = "the answer in sentences"


def render(record: dict[str, Any], width: int = 100) -> str:
    entries = answers.entries(record)
    lines = []
    for one in choice.choices(record, entries):
        said = choice.sentences(record, one)
        lines += _wrapped("%s: %s." % (one.load, said[0]), "", width)
        for text in said[1:]:
            text = text[0].upper() + text[1:]
            lines += _wrapped(text + ".", "  - ", width)
    return "\n".join(lines) + "\n" if lines else ""


def _wrapped(text: str, mark: str, width: int) -> list[str]:
    return textwrap.wrap(
        text,
        width,
        initial_indent=mark,
        subsequent_indent=" " * len(mark),
        break_on_hyphens=False,
        break_long_words=False,
    )
