"""The ways in which the bytes of a case reach the server."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Callable

from tests.wire.target import Target
from wsgibench.audit.http.case import Case
from wsgibench.audit.http.judge import judge_case
from wsgibench.audit.wire.exchange import Reply, Script, exchange
from wsgibench.audit.wire.responses import Malformed, finals, parse_all

DATE = re.compile(rb"\r\nDate: [^\r]*")
SHORT = 600  # bytes up to which a message is cut everywhere


def whole(case: Case) -> Iterator[Script]:
    yield Script([case.data], case.half_close)


def by_byte(case: Case) -> Iterator[Script]:
    """One byte per write; of a long message only the beginning."""
    data = case.data
    single = [data[i : i + 1] for i in range(min(len(data), SHORT))]
    yield Script([*single, data[SHORT:]], case.half_close)


def every_cut(case: Case) -> Iterator[Script]:
    """Two writes, cut at each place in turn."""
    if len(case.raw) >= SHORT:
        return
    data = case.data
    for at in range(1, min(len(case.raw) + 1, len(data))):
        yield Script([data[:at], data[at:]], case.half_close)


@dataclass
class Outcome:
    case: Case
    complaint: str
    count: int  # deliveries
    segments: Sequence[bytes]  # of the first bad one
    answer: bytes


Delivery = Callable[[Case], Iterator[Script]]


def run(
    target: Target, cases: Sequence[Case], delivery: Delivery
) -> list[Outcome]:
    """Deliver all, judge all; identical answers are judged once."""
    jobs = [(case, script) for case in cases for script in delivery(case)]
    replies = exchange(target.address, [script for _, script in jobs])
    outcomes = {id(case): Outcome(case, "", 0, (), b"") for case in cases}
    judged: set[tuple[int, bytes, str]] = set()
    for (case, script), reply in zip(jobs, replies):
        outcome = outcomes[id(case)]
        outcome.count += 1
        key = (id(case), DATE.sub(b"", reply.data), reply.end)
        if key in judged or outcome.complaint:
            continue
        judged.add(key)
        complaint = judge_case(case, reply)
        if complaint:
            outcome.complaint = complaint
            outcome.segments = script.segments
            outcome.answer = reply.data
    return list(outcomes.values())


def calls_made(reply: Reply) -> int:
    """Answers of the application among the bytes."""
    try:
        return sum(r.status == 200 for r in finals(parse_all(reply.data)))
    except Malformed:
        return 0


def unanswered_calls(
    target: Target, cases: Sequence[Case], delivery: Delivery
) -> int:
    """How many times the application was called without its answer being
    seen: a refused message that reached it all the same."""
    before = target.json("/calls")["count"]
    jobs = [script for case in cases for script in delivery(case)]
    replies = exchange(target.address, jobs)
    after = target.json("/calls")["count"]
    return int(after - before - sum(calls_made(reply) for reply in replies))


def describe(outcome: Outcome) -> str:
    case = outcome.case
    segments = [
        s if len(s) < 700 else s[:300] + b"..." for s in outcome.segments
    ]
    return "%s/%s (%s, %s): %s\n  sent %r\n  got  %r" % (
        case.family,
        case.name,
        case.verdict,
        case.rule,
        outcome.complaint,
        segments if len(segments) < 4 else b"".join(segments),
        outcome.answer[:600],
    )
