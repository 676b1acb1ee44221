"""One behaviour: what is asked, and what must come back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from wsgibench.audit.wire.exchange import Reply
from wsgibench.audit.wire.responses import (
    Malformed,
    Response,
    finals,
    parse_all,
)

#: Sent behind each request: answered only if the server found the end of the
#: message before, and the client the end of the answer.
LAST = (
    b"GET /wsgi/last HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
)


@dataclass(frozen=True)
class Ask:
    """A request for a function of behaviours."""

    name: str
    query: str = ""
    method: str = "GET"
    body: bytes = b""
    chunked: bool = False
    version: str = "1.1"
    fields: tuple[str, ...] = ()

    def data(self) -> bytes:
        target = "/wsgi/" + self.name
        if self.query:
            target += "?" + self.query
        lines = ["%s %s HTTP/%s" % (self.method, target, self.version)]
        lines += ["Host: localhost", *self.fields]
        body = self.body
        if self.chunked:
            lines.append("Transfer-Encoding: chunked")
            body = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
        elif body:
            lines.append("Content-Length: %d" % len(body))
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + body


Notes = list[list[Any]]
#: (the answer, what the application noted) -> what is wrong, or "".
Judge = Callable[[Response, Notes], str]


@dataclass(frozen=True)
class Want:
    """What must hold of the answer to the last message of a check."""

    status: int | tuple[int, ...] | None = 200
    body: bytes | None = None
    fields: Mapping[str, str | None] = field(default_factory=dict)
    complete: bool | None = True  # None: either
    #: The next request on the connection: True must be answered, False must
    #: not, None may.
    goes_on: bool | None = True
    notes: Notes | None = None
    also: Judge | None = None
    least: int = 0  # notes that `also` looks at

    @property
    def noted(self) -> int:
        """How many notes there are to wait for."""
        return max(self.least, len(self.notes or []))


@dataclass(frozen=True)
class Check:
    name: str
    rule: str
    level: str  # must, should, robust
    ask: Ask | Sequence[Ask]
    want: Want = field(default_factory=Want)
    family: str = ""
    settle: float = 0.0  # seconds in which a server may yet die of it
    ends: bool = False  # the application asks for the end of the process

    @property
    def asks(self) -> Sequence[Ask]:
        return [self.ask] if isinstance(self.ask, Ask) else self.ask


#: The sentence for a client that would have to wait for ever.
LEFT_OPEN = "neither answered in full nor closed"


def judge_check(check: Check, reply: Reply, notes: Notes) -> str:
    """What is wrong with the answer to the last message; "" for nothing."""
    method = check.asks[-1].method
    try:
        answers = finals(parse_all(reply.data, (method,)))
    except Malformed as error:
        if not reply.data and check.want.status is None:
            return ""  # cut off before a word: nothing looks complete
        return "malformed answer: %s" % error
    if not answers:
        if check.want.status is None and reply.end != "deadline":
            return ""
        return LEFT_OPEN if reply.end == "deadline" else "no answer"
    answer, rest = answers[0], answers[1:]
    complaint = _answered(check.want, answer, reply)
    if not complaint:
        complaint = _went_on(check.want, answer, rest)
    wanted = check.want.notes
    if not complaint and wanted is not None and notes != wanted:
        complaint = "the application saw %r, not %r" % (notes, wanted)
    if not complaint and check.want.also is not None:
        try:
            complaint = check.want.also(answer, notes)
        except (ValueError, KeyError, TypeError):  # no JSON of behaviours
            complaint = "the answer is not the application's"
    return complaint


def _answered(want: Want, answer: Response, reply: Reply) -> str:
    if want.status is not None:
        statuses = want.status
        if isinstance(statuses, int):
            statuses = (statuses,)
        if answer.status not in statuses:
            return "answered %d, not %s" % (
                answer.status,
                " or ".join(map(str, statuses)),
            )
    if want.complete is True and not answer.complete:
        return LEFT_OPEN if reply.end == "deadline" else "cut off"
    if want.complete is False and answer.complete:
        if answer.framing == "close" and reply.end == "reset":
            return ""
        return "looks complete and is not"
    if want.complete is False and reply.end == "deadline":
        return LEFT_OPEN
    if want.body is not None and answer.body != want.body:
        return "the body is %r" % answer.body[:200]
    for name, value in want.fields.items():
        if answer.get(name) != value:
            return "%s is %r, not %r" % (name, answer.get(name), value)
    return ""


def _went_on(want: Want, answer: Response, rest: Sequence[Response]) -> str:
    if want.goes_on is False:
        return "the connection went on" if rest else ""
    if rest and (len(rest) > 1 or rest[0].body != b"last"):
        return "the next request was misread: %r" % [r.status for r in rest]
    says_so = answer.closes or answer.is_old or answer.framing == "close"
    if want.goes_on and not rest and not says_so:
        return "the next request on the connection was not answered"
    return ""
