"""Templates in what is sent: ``{seq}``, ``{random:32}``, ``{pick:FILE}`` ...

A text becomes pieces, of which the C generator makes each request
(csrc/include/wsgibench_load.h, ``wl_piece``). Braces around anything else are
left as they are, so JSON needs no escape.

=====================  ====================================================
``{seq}``              the number of the request: 0, 1, 2 ... over all
                       processes; ``{seq:6}`` with at least six digits,
                       ``{seq:10-99}`` from 10 to 99 and over again
``{random:N}``         N random hexadecimal digits
``{number:A-B}``       a random number of A ... B
``{uuid}``             a random UUID (RFC 9562, version 4)
``{address}``          an IPv4 address, another in each of 16 million requests
``{pick:FILE}``        a random line of the file, the same one wherever a
                       request picks from this file
``{visitor:FILE}``     the line that belongs to the connection: line 1 for
                       the first, line 2 for the second ...
``{user:FIELD}``       of one visitor (load/visitors.py): address, agent,
                       cookie or language
=====================  ====================================================
"""

from __future__ import annotations

import enum
import random
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Union

from wsgibench import bounded
from wsgibench.errors import UsageError
from wsgibench.load import visitors
from wsgibench.load.target import encoded
from wsgibench.load.values import whole

SLOT = re.compile(
    rb"\{(seq|random|number|uuid|address|pick|visitor|user)(?::([^{}]*))?\}"
)
MOST_DIGITS = 65_536
LAST = (1 << 64) - 1


class Kind(enum.IntEnum):
    """``WL_TEXT`` ... of wsgibench_load.h."""

    TEXT = 0
    COUNT = 1
    NUMBER = 2
    HEX = 3
    ADDRESS = 4
    PICK = 5
    VISITOR = 6
    SIZE = 7


class Place(enum.Enum):
    """Where in a request a text stands."""

    TARGET = "percent-encoded where it has to be"
    FIELD = "without NUL"
    BODY = "as it is"


#: bytes, or (kind, width, draw, first, last)
Piece = Union[bytes, tuple[int, int, int, int, int]]


@dataclass
class Pool:
    """Texts to be drawn from; without an alias table each is as likely."""

    texts: list[bytes]
    keep: list[int] = field(default_factory=list)
    alias: list[int] = field(default_factory=list)


def _range(text: str) -> tuple[int, int] | None:
    first, dash, last = text.partition("-")
    low, high = whole(first, LAST), whole(last, LAST)
    if not dash or low is None or high is None or low > high:
        return None
    return low, high


class Book:
    """Turns texts into pieces and keeps the pools that they draw from."""

    def __init__(self) -> None:
        self.pools: list[Pool] = []
        self._numbers: dict[str, int] = {}  # of pools, by what they hold
        self._picks: dict[str, int] = {}  # draws, by file
        self._draws = 0
        self._place = Place.BODY

    def pieces(self, text: bytes, place: Place = Place.BODY) -> list[Piece]:
        """Literal text and slots in turn; one piece: nothing to fill in."""
        self._place = place
        pieces: list[Piece] = []
        at = 0
        for match in SLOT.finditer(text):
            if match.start() > at:
                pieces.append(text[at : match.start()])
            argument = (match[2] or b"").decode("utf-8", "surrogateescape")
            pieces += self._slot(match[1].decode(), argument)
            at = match.end()
        if at < len(text) or not pieces:
            pieces.append(text[at:])
        return pieces

    def _slot(self, name: str, argument: str) -> list[Piece]:
        make = getattr(self, "_" + name)
        made: list[Piece] | None = make(argument)
        if made is None:
            raise UsageError(
                "{%s%s} is no template: see docs/load.md for what there is."
                % (name, ":" + argument if argument else "")
            )
        return made

    def _new_draw(self) -> int:
        self._draws += 1
        return self._draws

    def _seq(self, argument: str) -> list[Piece] | None:
        bounds = _range(argument)
        if bounds:
            return [(Kind.COUNT, 0, 0, *bounds)]
        digits = whole(argument or "0", MOST_DIGITS)
        return None if digits is None else [(Kind.COUNT, digits, 0, 0, LAST)]

    def _random(self, argument: str) -> list[Piece] | None:
        digits = whole(argument, MOST_DIGITS)
        return [(Kind.HEX, digits, self._new_draw(), 0, 0)] if digits else None

    def _number(self, argument: str) -> list[Piece] | None:
        bounds = _range(argument)
        return bounds and [(Kind.NUMBER, 0, self._new_draw(), *bounds)]

    def _uuid(self, argument: str) -> list[Piece] | None:
        if argument:
            return None
        return self.pieces(
            b"{random:8}-{random:4}-4{random:3}-a{random:3}-{random:12}"
        )

    def _address(self, argument: str) -> list[Piece] | None:
        return None if argument else [(Kind.ADDRESS, 0, 0, 0, 0)]

    def _pick(self, argument: str) -> list[Piece] | None:
        if not argument:
            return None
        number = self._pool("file " + argument, lambda: Pool(_lines(argument)))
        draw = self._picks.setdefault(argument, 1_000_000 + number)
        return [(Kind.PICK, 0, draw, number, 0)]

    def _visitor(self, argument: str) -> list[Piece] | None:
        if not argument:
            return None
        number = self._pool("file " + argument, lambda: Pool(_lines(argument)))
        return [(Kind.VISITOR, 0, 0, number, 0)]

    def _user(self, argument: str) -> list[Piece] | None:
        if argument not in visitors.FIELDS:
            return None
        number = self._pool(
            "user " + argument,
            lambda: Pool(visitors.texts(argument), *visitors.likelihoods()),
        )
        # One draw for all fields: they are of one visitor.
        return [(Kind.PICK, 0, 999_999, number, 0)]

    def _pool(self, name: str, make: Callable[[], Pool]) -> int:
        """The number of the pool with this name, as it stands in this place
        of a request."""
        kept = "%s %s" % (self._place.name, name)
        if kept not in self._numbers:
            pool = make()
            if self._place is Place.TARGET:
                pool.texts = [
                    encoded(text.decode("utf-8", "surrogateescape")).encode()
                    for text in pool.texts
                ]
            if self._place is Place.FIELD and any(
                b"\0" in text for text in pool.texts
            ):
                raise UsageError("a NUL of %s is in a header." % name)
            self._numbers[kept] = len(self.pools)
            self.pools.append(pool)
        return self._numbers[kept]

    def by_connection(self, name: str, texts: list[bytes]) -> Piece:
        """A slot that holds, on connection i, text i of these."""
        number = self._pool(name, lambda: Pool(texts))
        return (Kind.VISITOR, 0, 0, number, 0)

    def sample(self, pieces: list[Piece]) -> bytes:
        """One of the requests that the generator may make of them."""
        return b"".join(self._one(piece, pieces) for piece in pieces)

    def _one(self, piece: Piece, pieces: list[Piece]) -> bytes:
        if isinstance(piece, bytes):
            return piece
        kind, width, _, first, last = piece
        if kind == Kind.SIZE:
            size = len(self.sample(pieces[first : last + 1]))
            return (b"%x" if width == 16 else b"%d") % size
        if kind in (Kind.PICK, Kind.VISITOR):
            return self.pools[first].texts[0]
        if kind == Kind.ADDRESS:
            return b"10.0.0.1"
        if kind == Kind.HEX:
            return b"%0*x" % (width, random.getrandbits(4 * width))
        return b"%0*d" % (width, first)


def _lines(path: str) -> list[bytes]:
    lines = bounded.read(path, may_wait=True).splitlines()
    texts = [line for line in lines if line.strip()]
    if not texts:
        raise UsageError("there is no line in %s." % path)
    return texts
