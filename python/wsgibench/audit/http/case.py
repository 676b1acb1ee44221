"""One message, the rule it follows, and what must become of it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from wsgibench.audit.wire.exchange import Reply
from wsgibench.audit.wire.responses import (
    Malformed,
    Response,
    finals,
    parse_all,
)

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
    family: str = ""

    @property
    def silence(self) -> bool:
        # Who left in mid-message need not be answered (RFC 9112 8).
        return self.quiet or self.half_close

    @property
    def data(self) -> bytes:
        """What is sent."""
        if self.half_close:
            return self.raw
        return self.raw + (SMUGGLED if self.verdict == "reject" else FOLLOW_UP)


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


def _matches(expected: Expected, value: str | None) -> bool:
    if isinstance(expected, tuple):
        return any(_matches(one, value) for one in expected)
    if isinstance(expected, re.Pattern):
        return value is not None and expected.fullmatch(value) is not None
    return bool(expected == value)


def _check_seen(case: Case, response: Response) -> str:
    if response.get("X-Method") == "HEAD":
        return ""
    seen = json.loads(response.body)
    for key, expected in case.environ.items():
        value = seen["environ"].get(key)
        if not _matches(expected, value):
            return "%s is %r, not %r" % (key, value, expected)
    if case.body is not None:
        body = seen["body"].encode("latin-1")
        if body != case.body:
            return "body read as %r" % body[:200]
    return ""


def _path(response: Response) -> str:
    if response.status != 200 or not response.body:
        return ""
    return str(json.loads(response.body)["environ"].get("PATH_INFO"))


def _check_accepted(case: Case, reply: Reply, answers: list[Response]) -> str:
    served = answers[: case.served]
    if [r.status for r in served] != [200] * case.served:
        return "answered %r" % [r.status for r in answers]
    complaint = _check_seen(case, served[0])
    if complaint:
        return complaint
    rest = answers[case.served :]
    if not rest:
        if case.persists is True and not case.half_close:
            return "the next request on the connection was not answered"
        return "" if reply.end != "deadline" else "left open"
    if case.persists is False:
        return "served %r after the connection had to close" % _path(rest[0])
    if case.surplus and rest[0].status == 400:
        return ""
    if len(rest) != 1 or _path(rest[0]) != "/follow-up":
        return "the next request was misread: %r" % [r.status for r in rest]
    return "" if reply.end == "eof" else "not closed when asked to"


def _check_refused(case: Case, reply: Reply, answers: list[Response]) -> str:
    if reply.end == "deadline":
        return "neither answered nor closed"
    statuses = [r.status for r in answers]
    before = case.served if case.verdict == "reject" else 0
    if statuses[:before] != [200] * before or len(statuses) > before + 1:
        return "answered %r" % statuses
    if len(statuses) == before:
        return "" if case.silence else "closed without an answer"
    if statuses[before] not in case.statuses:
        return "answered %d, not %r" % (statuses[before], case.statuses)
    return ""


def judge(case: Case, reply: Reply) -> str:
    """What is wrong with the reply; "" for nothing."""
    try:
        answers = finals(parse_all(reply.data))
    except Malformed as error:
        return "malformed answer: %s" % error
    if any(_path(r) == "/smuggled" for r in answers):
        return "SMUGGLED"
    if case.verdict == "reject":
        return _check_refused(case, reply, answers)
    accepted = bool(answers) and answers[0].status == 200
    if case.verdict == "accept" or accepted:
        return _check_accepted(case, reply, answers)
    return _check_refused(case, reply, answers)


def calls_made(reply: Reply) -> int:
    """Answers of the application among the bytes."""
    try:
        return sum(r.status == 200 for r in finals(parse_all(reply.data)))
    except Malformed:
        return 0
