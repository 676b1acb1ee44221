"""Reads a server's bytes as HTTP/1.1 responses (RFC 9112), strictly: what a
client could misread is Malformed, not repaired."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

STATUS_LINE = re.compile(rb"HTTP/1\.[01] ([1-5][0-9][0-9]) ([\t\x20-\xff]*)\Z")
FIELD = re.compile(
    rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*"
    rb"((?:[\x21-\xff](?:[\t\x20-\xff]*[\x21-\xff])?)?)[ \t]*\Z"
)
CHUNK_SIZE = re.compile(rb"[0-9A-Fa-f]{1,16}\Z")


class Malformed(ValueError):
    """The bytes are no sequence of HTTP/1.1 responses."""


@dataclass
class Response:
    status: int
    reason: str
    fields: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""
    framing: str = "none"  # none, length, chunked, close
    complete: bool = True
    is_old: bool = False  # HTTP/1.0: it closes unless it says otherwise

    def all(self, name: str) -> list[str]:
        name = name.lower()
        return [value for key, value in self.fields if key.lower() == name]

    def get(self, name: str) -> str | None:
        values = self.all(name)
        return ", ".join(values) if values else None

    @property
    def closes(self) -> bool:
        tokens = (self.get("Connection") or "").lower().split(",")
        return "close" in [token.strip() for token in tokens]


def parse_all(
    data: bytes, methods: tuple[str, ...] = (), ended: bool = True
) -> list[Response]:
    """All responses in `data`, interim ones included. `methods` are those of
    the requests; an X-Method field set by the application does as well."""
    found: list[Response] = []
    asked = list(methods)
    while data:
        method = asked[0] if asked else "GET"
        response, used = parse_one(data, method, ended)
        found.append(response)
        if response.status >= 200 and asked:
            asked.pop(0)
        data = data[used:]
        if not response.complete:
            break
    return found


def finals(responses: list[Response]) -> list[Response]:
    return [r for r in responses if r.status >= 200]


def parse_one(
    data: bytes, method: str = "GET", ended: bool = True
) -> tuple[Response, int]:
    """The first response and how many bytes it took. An incomplete one has
    complete=False; without even a whole head it is Malformed."""
    end = data.find(b"\r\n\r\n")
    if end < 0:
        raise Malformed("no whole response head in %r" % data[:200])
    response = _head(data[:end])
    method = response.get("X-Method") or method
    used = end + 4
    rest = memoryview(data)[used:]
    taken = _body(response, rest, method, ended)
    return response, used + taken


def _head(head: bytes) -> Response:
    lines = head.split(b"\r\n")
    match = STATUS_LINE.match(lines[0])
    if match is None:
        raise Malformed("status line %r" % lines[0][:200])
    response = Response(int(match.group(1)), match.group(2).decode("latin-1"))
    response.is_old = head.startswith(b"HTTP/1.0")
    for line in lines[1:]:
        parts = FIELD.match(line)
        if parts is None:
            raise Malformed("field line %r" % line[:200])
        response.fields.append(
            (parts.group(1).decode("ascii"), parts.group(2).decode("latin-1"))
        )
    for name in ("Content-Length", "Transfer-Encoding", "Date"):
        if len(response.all(name)) > 1:
            raise Malformed("%s twice" % name)
    return response


def _body(
    response: Response, rest: memoryview, method: str, ended: bool
) -> int:
    length = response.get("Content-Length")
    coding = response.get("Transfer-Encoding")
    status = response.status
    if length is not None and not re.match(r"[0-9]+\Z", length):
        raise Malformed("Content-Length %r" % length)
    if length is not None and coding is not None:
        raise Malformed("Content-Length and Transfer-Encoding at once")
    if status < 200 or status == 204:
        if length is not None or coding is not None:
            raise Malformed("a %d with framing fields" % status)
        return 0
    if status == 304 or method == "HEAD":
        return 0
    if coding is not None:
        if coding.lower() != "chunked":
            raise Malformed("Transfer-Encoding %r" % coding)
        response.framing = "chunked"
        return _chunked(response, bytes(rest))
    if length is not None:
        response.framing = "length"
        size = int(length)
        response.body = bytes(rest[:size])
        response.complete = len(response.body) == size
        return len(response.body)
    response.framing = "close"
    response.body = bytes(rest)
    response.complete = ended
    return len(rest)


def _chunked(response: Response, rest: bytes) -> int:
    at = 0
    parts: list[bytes] = []
    while True:
        end = rest.find(b"\r\n", at)
        if end < 0:
            break
        if not CHUNK_SIZE.match(rest[at:end]):
            raise Malformed("chunk size %r" % rest[at:end][:100])
        size = int(rest[at:end], 16)
        at = end + 2
        if size == 0:
            if rest[at : at + 2] != b"\r\n":
                if len(rest) - at >= 2:
                    raise Malformed("trailer after the last chunk")
                break
            response.body = b"".join(parts)
            return at + 2
        parts.append(rest[at : at + size])
        if len(rest) < at + size + 2:
            break
        if rest[at + size : at + size + 2] != b"\r\n":
            raise Malformed("chunk data does not end in CRLF")
        at += size + 2
    response.body = b"".join(parts)
    response.complete = False
    return len(rest)
