"""Status and header fields of an answer, as the core wants them."""

from __future__ import annotations

from typing import Any

from wsgibench.native._cffi import ffi


class Head:
    """A wb_head (``.given``) and the memory it points to."""

    __slots__ = ("_lines", "_status", "given")

    def __init__(self, status: bytes, lines: bytes, count: int) -> None:
        self._status = ffi.from_buffer(status)
        self._lines = ffi.from_buffer(lines)
        self.given = ffi.new("wb_head *")
        self.given.status = self._status
        self.given.status_size = len(status)
        self.given.lines = self._lines
        self.given.lines_size = len(lines)
        self.given.count = count


def encode_head(status: Any, headers: Any) -> Head:
    """Status, then name NUL value NUL ..., as the core wants them."""
    if type(status) is not str and not isinstance(status, str):
        raise TypeError("the status must be a str, not %r" % type(status))
    if not isinstance(headers, list):
        raise TypeError(
            "response headers must be a list, not %r" % type(headers)
        )
    parts = []
    for item in headers:
        if not isinstance(item, tuple) or len(item) != 2:
            raise TypeError("response headers must be (name, value) tuples")
        name, value = item
        if not isinstance(name, str) or not isinstance(value, str):
            raise TypeError("header names and values must be str")
        parts.append(name)
        parts.append(value)
    parts.append("")
    try:
        return Head(
            status.encode("latin-1"),
            "\0".join(parts).encode("latin-1"),
            len(headers),
        )
    except UnicodeEncodeError:
        raise ValueError(
            "%s holds characters outside latin-1" % _wide(status, parts)
        ) from None


def _wide(status: str, parts: list[str]) -> str:
    """What of a head is not latin-1."""

    def is_wide(text: str) -> bool:
        return any(ord(character) > 0xFF for character in text)

    if is_wide(status):
        return "the status"
    if any(map(is_wide, parts[::2])):
        return "a header name"
    return "a header value"
