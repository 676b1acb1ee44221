"""Whether a reply is what a case asks for."""

from __future__ import annotations

import dataclasses
import json
import re
from typing import Any

from wsgibench.audit.http.case import Case, Expected
from wsgibench.audit.wire.exchange import Reply
from wsgibench.audit.wire.responses import (
    Malformed,
    Response,
    finals,
    parse_all,
)

#: Families in which a server that goes on after its refusal has to guess
#: where the next message begins.
FRAMING = {
    "chunk_extension",
    "chunk_framing",
    "chunk_size",
    "content_length",
    "field_name",
    "field_value",
    "obs_fold",
    "request_line",
    "trailer",
    "transfer_encoding",
    "unread_body",
}


def concede(
    case: Case, reply: Reply, answers: list[Response]
) -> tuple[Case, Reply, list[Response]]:
    """What the RFC leaves to a server, and our own does in one way only.

    It may close after any answer that says so (9112 9.6), it may go on after
    a message whose end is clear, and it may wait for the rest of a message of
    any size.
    """
    if case.waits and not answers and reply.end == "deadline":
        return dataclasses.replace(case, quiet=True), Reply(b"", "eof"), []
    case = _closed_early(case, reply, answers)
    behind = answers[case.served + 1 :]
    if (
        case.verdict == "reject"
        and case.family not in FRAMING
        and [_path(answer) for answer in behind] == ["/smuggled"]
    ):
        # Served as a request of its own: what counts is the one before.
        return case, Reply(reply.data, "eof"), answers[: case.served + 1]
    return case, reply, answers


def _closed_early(case: Case, reply: Reply, answers: list[Response]) -> Case:
    """The case as far as a server that closes by choice has to take it."""
    right = [answer.status for answer in answers] == [200] * len(answers)
    says_so = bool(answers) and (answers[-1].closes or answers[-1].is_old)
    if not (right and says_so) or len(answers) > case.served:
        return case
    if reply.end == "deadline":
        return case
    if case.verdict == "reject":
        return dataclasses.replace(case, served=len(answers), quiet=True)
    return dataclasses.replace(case, served=len(answers), persists=None)


def _matches(expected: Expected, value: str | None) -> bool:
    if isinstance(expected, tuple):
        return any(_matches(one, value) for one in expected)
    if isinstance(expected, re.Pattern):
        return value is not None and expected.fullmatch(value) is not None
    return bool(expected == value)


def _seen(response: Response) -> dict[str, Any] | None:
    """What the application told; None: these are not its words."""
    try:
        seen = json.loads(response.body)
        complete = isinstance(seen["environ"], dict) and "body" in seen
    except (ValueError, KeyError, TypeError):
        return None
    return dict(seen) if complete else None


def _check_seen(case: Case, response: Response) -> str:
    if response.get("X-Method") == "HEAD":
        return ""
    seen = _seen(response)
    if seen is None:
        return "the answer is not the application's: %r" % response.body[:80]
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
    seen = _seen(response) if response.status == 200 else None
    return "" if seen is None else str(seen["environ"].get("PATH_INFO"))


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


def judge_case(case: Case, reply: Reply, *, lenient: bool = False) -> str:
    """What is wrong with the reply; "" for nothing. Lenient: see concede()."""
    try:
        answers = finals(parse_all(reply.data))
    except Malformed as error:
        return "malformed answer: %s" % error
    if lenient:
        case, reply, answers = concede(case, reply, answers)
    if any(_path(r) == "/smuggled" for r in answers):
        return "SMUGGLED"
    if case.verdict == "reject":
        return _check_refused(case, reply, answers)
    accepted = bool(answers) and answers[0].status == 200
    if case.verdict == "accept" or accepted:
        return _check_accepted(case, reply, answers)
    return _check_refused(case, reply, answers)


def meaning(reply: Reply) -> str:
    """How the server understood what it was sent: statuses, and the path and
    the bytes of body that the application saw."""
    try:
        answers = finals(parse_all(reply.data))
    except Malformed:
        return "malformed answer"
    parts = []
    for answer in answers:
        text = str(answer.status)
        if answer.status == 200 and answer.body:
            seen = _seen(answer)
            if seen is None:
                text += " ?"
            else:
                path = seen["environ"].get("PATH_INFO")
                text += " %s +%d" % (path, len(seen["body"]))
        parts.append(text)
    if reply.end == "deadline":
        parts.append("left open")
    return ", ".join(parts) or "closed without an answer"
