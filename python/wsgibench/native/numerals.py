"""Numbers that people write: ASCII digits, nothing else."""

from __future__ import annotations

#: More cannot mean anything here, and int() refuses thousands of them.
MAX_DIGITS = 19


def read_number(text: str) -> int | None:
    """None if it is none. str.isdigit() and int() take other digits, too."""
    if text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS:
        return int(text)
    return None
