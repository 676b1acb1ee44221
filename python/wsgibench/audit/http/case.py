"""One message, the rule it follows, and what must become of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

#: Sent behind a message that must be accepted: answered only if the server
#: found the end of the message where it is.
FOLLOW_UP = (
    b"GET /follow-up HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
)
#: Sent behind a message that must be refused: never to be served.
SMUGGLED = FOLLOW_UP.replace(b"/follow-up", b"/smuggled")

Expected = Any  # a value, a pattern, None for "absent", or a tuple of these


@dataclass(frozen=True)
class Case:
    name: str
    raw: bytes
    rule: str
    verdict: str  # accept, reject, either
    environ: Mapping[str, Expected] = field(default_factory=dict)
    body: bytes | None = None
    statuses: tuple[int, ...] = (400,)  # of the refusal
    served: int = 1  # requests in `raw` that the application answers
    persists: bool | None = True  # None: free to close or not
    half_close: bool = False  # the client ends its side after `raw`
    surplus: bool = False  # `raw` ends in bytes that are no request
    quiet: bool = False  # closing without an answer refuses it, too
    waits: bool = False  # or the rest of a message so large is waited for
    piece: int = 0  # bytes that are sent at a time; 0: all of them
    family: str = ""

    @property
    def silence(self) -> bool:
        # Who left in mid-message need not be answered (RFC 9112 8).
        return self.quiet or self.half_close

    @property
    def data(self) -> bytes:
        """What is sent. Pieces would let a server see the next request before
        it has answered the one that asks it to close."""
        alone = self.half_close or self.piece
        return self.raw if alone else self.raw + self.behind

    @property
    def segments(self) -> list[bytes]:
        """What is sent, as it is cut."""
        data = self.data
        size = self.piece or len(data)
        return [data[at : at + size] for at in range(0, len(data), size)]

    @property
    def behind(self) -> bytes:
        """The request that shows where the server found the end of `raw`."""
        return SMUGGLED if self.verdict == "reject" else FOLLOW_UP


def accept(name: str, raw: bytes, rule: str, **more: Any) -> Case:
    return Case(name, raw, rule, "accept", **more)


def reject(
    name: str, raw: bytes, rule: str, *, served: int = 0, **more: Any
) -> Case:
    return Case(name, raw, rule, "reject", served=served, **more)


def either(name: str, raw: bytes, rule: str, **more: Any) -> Case:
    """Refused, or accepted with just this meaning."""
    return Case(name, raw, rule, "either", **more)


def get(
    lines: bytes = b"",
    *,
    target: bytes = b"/",
    version: bytes = b"HTTP/1.1",
    method: bytes = b"GET",
    host: bytes = b"Host: localhost\r\n",
) -> bytes:
    """A request without a body; `lines` are whole field lines."""
    return b"%s %s %s\r\n%s%s\r\n" % (method, target, version, host, lines)


def post(lines: bytes, body: bytes, **more: bytes) -> bytes:
    more.setdefault("method", b"POST")
    return get(lines, **more) + body


CHUNKED = b"Transfer-Encoding: chunked\r\n"


def chunked(wire: bytes, lines: bytes = CHUNKED, **more: bytes) -> bytes:
    return post(lines, wire, **more)
