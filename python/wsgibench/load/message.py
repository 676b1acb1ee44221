"""A request as the pieces that the generator makes it of (RFC 9112)."""

from __future__ import annotations

import re

from wsgibench.errors import UsageError
from wsgibench.load.headers import header_set
from wsgibench.load.spec import Entry, Headers, LoadSpec
from wsgibench.load.target import Target, encoded
from wsgibench.load.templates import Book, Kind, Piece, Place

#: RFC 9110 5.6.2
TOKEN = frozenset(
    "!#$%&'*+-.^_`|~0123456789"
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
)


def as_bytes(text: str) -> bytes:
    """As a terminal would send it, and a file's bytes as they were."""
    return text.encode("utf-8", "surrogateescape")


def header_line(name: str, value: str) -> bytes:
    """RFC 9110 5.1 and 5.5: what no server can misread as two headers."""
    if not name or not TOKEN.issuperset(name):
        raise UsageError("%r cannot be the name of a header." % name)
    if any(char in value for char in "\r\n\0"):
        raise UsageError("the header %s has a line end or NUL in it." % name)
    return as_bytes("%s: %s\r\n" % (name, value))


def merged(*groups: Headers) -> Headers:
    """A later group's header replaces those of that name before it."""
    kept: list[tuple[str, str]] = []
    for group in groups:
        names = {name.lower() for name, _ in group}
        kept = [one for one in kept if one[0].lower() not in names]
        kept += group
    return tuple(kept)


def _lines(spec: LoadSpec, target: Target, given: Headers) -> list[bytes]:
    names = {name.lower() for name, _ in given}
    for headers in spec.visitors:
        names |= {name.lower() for name, _ in headers}
    own: list[tuple[str, str]] = []
    if "host" not in names:
        own.append(("Host", target.authority))
    if target.credentials and "authorization" not in names:
        own.append(("Authorization", "Basic " + target.credentials))
    if "connection" not in names:
        if not spec.keepalive:
            own.append(("Connection", "close"))
        elif spec.http10 or spec.headers != "minimal":
            # HTTP/1.1 persists by itself; browsers say it all the same.
            own.append(("Connection", "keep-alive"))
    return [header_line(*header) for header in (*own, *given)]


def closes(spec: LoadSpec, entry: Entry) -> bool:
    """Does it ask the server to close behind its answer? (RFC 9112 9.6)"""
    options = [
        value.lower()
        for name, value in _given(spec, entry)
        if name.lower() == "connection"
    ]
    if not options:
        return not spec.keepalive
    return "close" in re.split(r"[,\s]+", ",".join(options))


def _given(spec: LoadSpec, entry: Entry) -> Headers:
    return merged(
        tuple(header_set(spec.headers)), spec.extra_headers, entry.headers
    )


def _visitor_lines(spec: LoadSpec) -> list[bytes]:
    return [
        b"".join(header_line(*header) for header in headers)
        for headers in spec.visitors
    ]


def _size_of(pieces: list[Piece], at: int, base: int) -> Piece:
    """Their size, when they stand at `at`."""
    if all(isinstance(piece, bytes) for piece in pieces):
        size = sum(len(piece) for piece in pieces)
        return b"%x" % size if base == 16 else b"%d" % size
    return (Kind.SIZE, base, 0, at, at + len(pieces) - 1)


def _chunks(pieces: list[Piece], size: int) -> list[list[Piece]]:
    """Text is cut where a chunk is full; what a template makes is not, and
    ends its chunk."""
    chunks: list[list[Piece]] = []
    for piece in pieces:
        if not isinstance(piece, bytes):
            chunks.append([piece])
            continue
        chunks += [
            [piece[at : at + size]] for at in range(0, len(piece), size)
        ]
    return chunks


def _chunked(pieces: list[Piece], size: int, at: int) -> list[Piece]:
    """RFC 9112 7.1. `at`: the number of pieces before these."""
    made: list[Piece] = []
    for chunk in _chunks(pieces, size):
        start = at + len(made) + 2  # behind its size and the line end
        made += [_size_of(chunk, start, 16), b"\r\n", *chunk, b"\r\n"]
    return [*made, b"0\r\n\r\n"]


def joined(pieces: list[Piece]) -> list[Piece]:
    """Neighbouring texts as one, unless some are counted by number."""
    for piece in pieces:
        if not isinstance(piece, bytes) and piece[0] == Kind.SIZE:
            return pieces
    made: list[Piece] = []
    for piece in pieces:
        if isinstance(piece, bytes) and made and isinstance(made[-1], bytes):
            made[-1] += piece
        else:
            made.append(piece)
    return made


def message(
    spec: LoadSpec, entry: Entry, target: Target, book: Book
) -> list[Piece]:
    version = "HTTP/1.0" if spec.http10 else "HTTP/1.1"
    given = _given(spec, entry)
    if not TOKEN.issuperset(entry.method) or not entry.method:
        raise UsageError("%r cannot be a method." % entry.method)
    target_line = "%s %s" % (entry.method, encoded(entry.target))
    lines = b"".join(_lines(spec, target, given))
    pieces = [
        *book.pieces(as_bytes(target_line), Place.TARGET),
        *book.pieces(as_bytes(" %s\r\n" % version) + lines, Place.FIELD),
    ]
    if spec.visitors:
        pieces.append(book.by_connection("visitors", _visitor_lines(spec)))
    body = spec.body if entry.body is None else entry.body
    names = {name.lower() for name, _ in given}
    if body or entry.method in ("POST", "PUT", "PATCH"):
        return _with_body(spec, pieces, book.pieces(body), names)
    if spec.chunk:
        return joined(
            [*pieces, b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"]
        )
    return joined([*pieces, b"\r\n"])


def _with_body(
    spec: LoadSpec, head: list[Piece], body: list[Piece], names: set[str]
) -> list[Piece]:
    if spec.chunk:
        head = [*head, b"Transfer-Encoding: chunked\r\n\r\n"]
        return joined([*head, *_chunked(body, spec.chunk, len(head))])
    if "content-length" in names or "transfer-encoding" in names:
        return joined([*head, b"\r\n", *body])  # the user's own framing
    size = _size_of(body, len(head) + 3, 10)
    return joined([*head, b"Content-Length: ", size, b"\r\n\r\n", *body])
