"""stream_body=1: the application starts before the body is there, so that a
bad body cannot be refused in time; it must never look like a whole one, and
what follows it is never a request."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Callable

import pytest

from tests.http import delivery
from tests.wire.target import Target
from wsgibench.audit.http import families
from wsgibench.audit.http.judge import judge_case
from wsgibench.audit.wire.exchange import exchange
from wsgibench.audit.wire.responses import finals, parse_all

BODIES = (
    "chunk_size",
    "chunk_framing",
    "chunk_extension",
    "trailer",
    "content_length",
    "transfer_encoding",
    "unread_body",
    "expect",
)
CASES = [case for case in families.all_cases() if case.family in BODIES]
WAYS = [delivery.whole, delivery.by_byte]


@pytest.fixture(scope="module", params=[0, 4], ids=["loop", "threads"])
def target(
    request: pytest.FixtureRequest, start_target: Callable[..., Any]
) -> Iterator[Target]:
    app = "wsgibench_audit:application"
    with start_target(
        app, threads=request.param, unix=True, stream_body=1
    ) as started:
        yield started


@pytest.mark.parametrize("way", WAYS)
def test_accepted_all_the_same(way: delivery.Delivery, target: Target) -> None:
    cases = [case for case in CASES if case.verdict == "accept"]
    bad = [o for o in delivery.run(target, cases, way) if o.complaint]
    assert not bad, "\n".join(map(delivery.describe, bad[:8]))


@pytest.mark.parametrize("way", WAYS)
def test_a_bad_body_is_never_a_whole_one(
    way: delivery.Delivery, target: Target
) -> None:
    cases = [case for case in CASES if case.verdict == "reject"]
    jobs = [(case, script) for case in cases for script in way(case)]
    replies = exchange(target.address, [script for _, script in jobs])
    for (case, _), reply in zip(jobs, replies):
        name = "%s/%s" % (case.family, case.name)
        assert reply.end != "deadline", name
        assert judge_case(case, reply) != "SMUGGLED", name
        for answer in finals(parse_all(reply.data)):
            seen = json.loads(answer.body) if answer.status == 200 else {}
            assert answer.status >= 400, (name, seen)
