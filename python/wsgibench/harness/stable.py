"""What of an answer stays the same, and how another differs from it.

Several answers of the application to one request go in: asked twice, of two
processes of it. What they have in common must be in every server's answer;
dates, tokens and ids are not in common.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from wsgibench.harness.answers import BODILESS, Answer

#: Fields that a server writes, as PEP 3333 and RFC 9110 leave to it.
SERVERS = {"server", "date", "connection", "keep-alive", "via"}
SERVERS |= {"transfer-encoding", "content-length"}
#: Words and what is between them; of larger bodies, lines.
WORDS = re.compile(rb"\w+|\s+|[^\w\s]")
MOST_TOKENS = 4_000
#: A piece in common that is shorter may be so by chance.
LEAST = 4
#: What may be a token of a fixed length.
TOKEN = re.compile(rb"[\w-]+")
LEAST_TOKEN = 16

Chunk = list[bytes]


@dataclass(frozen=True)
class Body:
    """Pieces in their order; anything may stand between two of them, and
    before the first or behind the last unless it is anchored there."""

    pieces: tuple[bytes, ...]
    at_start: bool
    at_end: bool
    size: int  # of all answers; -1: it may change
    largest: int

    @property
    def is_whole(self) -> bool:
        return self.at_start and self.at_end and len(self.pieces) <= 1

    @property
    def share(self) -> float:
        """Of the bytes, how much stays the same."""
        if self.is_whole:
            return 1.0
        return sum(map(len, self.pieces)) / max(1, self.largest)


def tokens(body: bytes) -> list[bytes]:
    found = WORDS.findall(body)
    if len(found) > MOST_TOKENS:
        found = body.splitlines(keepends=True)
    return found if len(found) <= MOST_TOKENS else []


def body_of(bodies: Sequence[bytes]) -> Body:
    largest = max(map(len, bodies))
    if len(set(bodies)) == 1:
        return Body((bodies[0],), True, True, largest, largest)
    size = largest if _has_one_size(bodies) else -1
    split = [tokens(body) for body in bodies]
    if not all(split):
        return _ends(bodies, size, largest)
    chunks: list[Chunk] = [split[0]]
    at_start = at_end = True
    for other in split[1:]:
        chunks, start, end = _common(chunks, other)
        at_start, at_end = at_start and start, at_end and end
    pieces = [b"".join(chunk) for chunk in chunks]
    last = len(pieces) - 1
    kept = [
        piece
        for place, piece in enumerate(pieces)
        if len(piece) >= LEAST
        or (place == 0 and at_start)
        or (place == last and at_end)
    ]
    return Body(tuple(kept), at_start, at_end, size, largest)


def _has_one_size(bodies: Sequence[bytes]) -> bool:
    """Whether what changes always has the same length: tokens and UUIDs do.
    Numbers and names may have had it by chance."""
    if len({len(body) for body in bodies}) > 1:
        return False
    words = [set(TOKEN.findall(body)) for body in bodies]
    common = set.intersection(*words)
    lengths = [sorted(map(len, found - common)) for found in words]
    return all(one == lengths[0] for one in lengths) and (
        not lengths[0] or lengths[0][0] >= LEAST_TOKEN
    )


def _ends(bodies: Sequence[bytes], size: int, largest: int) -> Body:
    """Of bodies too large to be aligned: what they begin and end with."""
    shortest = min(bodies, key=len)
    front = 0
    while front < len(shortest) and all(
        body[front] == shortest[front] for body in bodies
    ):
        front += 1
    back = 0
    while back < len(shortest) - front and all(
        body[-1 - back] == shortest[-1 - back] for body in bodies
    ):
        back += 1
    pieces = (shortest[:front], shortest[len(shortest) - back :])
    return Body(pieces, True, True, size, largest)


def _common(
    chunks: list[Chunk], other: list[bytes]
) -> tuple[list[Chunk], bool, bool]:
    """(chunks that the other has too, whether it begins and ends so)"""
    flat = [token for chunk in chunks for token in chunk]
    borders, total = set(), 0
    for one in chunks:
        total += len(one)
        borders.add(total)
    matcher = difflib.SequenceMatcher(None, flat, other, autojunk=False)
    found: list[Chunk] = []
    chunk: Chunk
    start = end = False
    for block in matcher.get_matching_blocks():
        if not block.size:
            continue
        start = start or (block.a == 0 and block.b == 0)
        stop = block.a + block.size
        end = stop == len(flat) and block.b + block.size == len(other)
        chunk = []
        for place in range(block.a, stop):
            chunk.append(flat[place])
            if place + 1 in borders and place + 1 < stop:
                found.append(chunk)
                chunk = []
        found.append(chunk)
    return found, start, end


def missing(body: Body, given: bytes) -> str:
    """What is wrong with this body; "" if nothing is."""
    if body.is_whole:
        return _unlike(body.pieces[0] if body.pieces else b"", given)
    at = 0
    last = len(body.pieces) - 1
    for place, piece in enumerate(body.pieces):
        if place == 0 and body.at_start:
            if not given.startswith(piece):
                return "its body does not begin with %s" % _short(piece)
            at = len(piece)
        elif place == last and body.at_end:
            if len(given) - len(piece) < at or not given.endswith(piece):
                return "its body does not end with %s" % _short(piece, -40)
        else:
            found = given.find(piece, at)
            if found < 0:
                return "its body lacks %s" % _short(piece)
            at = found + len(piece)
    if body.size >= 0 and len(given) != body.size:
        return "its body has %d bytes, not %d" % (len(given), body.size)
    return ""


def _unlike(expected: bytes, given: bytes) -> str:
    if given == expected:
        return ""
    if len(given) < len(expected) and expected.startswith(given):
        return "its body ends after %d of %d bytes" % (
            len(given),
            len(expected),
        )
    if given.startswith(expected):
        return "its body has %d bytes too many" % (len(given) - len(expected))
    at = next(n for n, (a, b) in enumerate(zip(expected, given)) if a != b)
    return "its body differs from byte %d on: %s, not %s" % (
        at,
        _short(given[at:]),
        _short(expected[at:]),
    )


def _short(text: bytes, limit: int = 40) -> str:
    return repr(text[:limit] if limit > 0 else text[limit:])[1:]


@dataclass(frozen=True)
class Stable:
    """What every server must answer to one request."""

    statuses: frozenset[int]
    #: name -> the values that all answers have, or None where they differ
    headers: dict[str, list[str] | None]
    counts: dict[str, int]  # how often the name comes, where that is stable
    cookies: frozenset[str] | None  # as _cookies says; None: they differ
    sometimes: frozenset[str]  # names that some answers have
    body: Body
    raw: bytes | None  # as it crosses the wire, if that never changes
    raw_size: int  # -1: it changes
    #: What all answers say; None: not all do, or not the same.
    length: str | None = None
    has_length: bool = False
    #: What the first visitors get, where they log in; () otherwise.
    visitors: tuple[Stable, ...] = ()

    def of_visitor(self, number: int) -> Stable:
        return self.visitors[number] if self.visitors else self

    def differences(self, answer: Answer, is_head: bool = False) -> list[str]:
        """Sentences' ends, as of "gunicorn: GET /a: ..."."""
        if answer.error:
            return [answer.error]
        if answer.status not in self.statuses:
            return [
                "status %d, not %s"
                % (answer.status, " or ".join(map(str, sorted(self.statuses))))
            ]
        found = self._headers(answer)
        is_bodiless = is_head or answer.status in BODILESS
        found += self._length(answer, is_bodiless)
        if is_bodiless:
            if answer.body:
                found.append(
                    "a body in the answer %s, which clients take for the "
                    "next answer" % ("to HEAD" if is_head else answer.status)
                )
        else:
            said = missing(self.body, answer.text)
            if said:
                found.append(said)
        return found

    def _length(self, answer: Answer, is_bodiless: bool) -> list[str]:
        """Of what the application said. A body's own is seen by the body."""
        given = answer.values("content-length")
        if len(given) > 1:
            return ["the header content-length comes %d times" % len(given)]
        if not given and self.has_length and not is_bodiless:
            return ["the header content-length is missing"]
        if given and is_bodiless and self.length not in (None, given[0]):
            return [
                "the header content-length is %r, not %r"
                % (given[0], self.length)
            ]
        return []

    def _headers(self, answer: Answer) -> list[str]:
        found = []
        for name, values in self.headers.items():
            given = answer.values(name)
            count = self.counts.get(name)
            if not given:
                found.append("the header %s is missing" % name)
            elif count is not None and len(given) != count:
                found.append(
                    "the header %s comes %s, not %d"
                    % (name, _times(len(given)), count)
                )
            elif values is not None and sorted(given) != sorted(values):
                found.append(
                    "the header %s is %r, not %r"
                    % (name, ", ".join(given), ", ".join(values))
                )
            elif name == "set-cookie" and self.cookies is not None:
                own = _cookies(given)
                if own != self.cookies:
                    found.append(
                        "it sets other cookies: %s, not %s"
                        % (
                            ", ".join(sorted(own - self.cookies)) or "none",
                            ", ".join(sorted(self.cookies - own)) or "none",
                        )
                    )
        known = {*self.headers, *self.sometimes, *SERVERS}
        found += [
            "a header %s that the application did not send" % name
            for name in dict.fromkeys(k.lower() for k, _ in answer.headers)
            if name not in known
        ]
        return found


def _times(count: int) -> str:
    return "once" if count == 1 else "%d times" % count


def _cookies(values: Sequence[str]) -> frozenset[str]:
    """Each with its name and attributes; their times may change with it."""
    found = []
    for value in values:
        pair, *rest = (part.strip() for part in value.split(";"))
        shown = [pair.partition("=")[0].strip()]
        for attribute in rest:
            name = attribute.partition("=")[0].strip()
            is_time = name.lower() in ("expires", "max-age")
            shown.append(name if is_time else attribute)
        found.append("; ".join(shown))
    return frozenset(found)


def of(answers: Sequence[Answer]) -> Stable:
    """Of the application's own answers to one request."""
    named = [
        {key.lower() for key, _ in answer.headers} - SERVERS
        for answer in answers
    ]
    always = set.intersection(*named)
    headers: dict[str, list[str] | None] = {}
    counts = {}
    for name in sorted(always):
        values = [answer.values(name) for answer in answers]
        headers[name] = (
            values[0] if all(one == values[0] for one in values) else None
        )
        if len({len(one) for one in values}) == 1:
            counts[name] = len(values[0])
    cookies = [_cookies(answer.values("set-cookie")) for answer in answers]
    raw = {answer.body for answer in answers}
    lengths = [answer.values("content-length") for answer in answers]
    is_same = all(one == lengths[0] for one in lengths)
    body = body_of([answer.text for answer in answers])
    is_plain = all(answer.text is answer.body for answer in answers)
    return Stable(
        frozenset(answer.status for answer in answers),
        headers,
        counts,
        cookies[0] if len(set(cookies)) == 1 else None,
        frozenset(set.union(*named) - always),
        body,
        answers[0].body if len(raw) == 1 else None,
        body.size if is_plain else -1,
        lengths[0][0] if is_same and lengths[0] else None,
        all(lengths),
    )
