"""What a server may accept, and this one refuses: a trusted peer that reads it
in another way would be misled."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any, Callable

import pytest

from tests.http import delivery
from tests.wire.target import Target
from wsgibench.audit.http import families
from wsgibench.audit.http.case import Case, chunked, get, reject
from wsgibench.audit.wire.exchange import Script, exchange
from wsgibench.audit.wire.responses import parse_all

#: Not RFC 9112's chunk-ext.
EXTENSIONS = (
    "bws-after",
    "empty",
    "empties",
    "no-value",
    "no-name",
    "quote-open",
    "high-byte",
    "at",
)
#: It is: these stay accepted.
GRAMMAR = ("bws", "bws-before", "tab", "quoted-high-byte")
LIMIT = 2000


def refused(family: str, name: str) -> Case:
    for case in families.all_cases():
        if (case.family, case.name) == (family, name):
            return dataclasses.replace(
                case, verdict="reject", statuses=(400,), served=0
            )
    raise LookupError(name)


def extended(extension: bytes) -> bytes:
    return chunked(b"5" + extension + b"\r\nhello\r\n0\r\n\r\n")


CASES = [
    *(refused("chunk_extension", "free-" + name) for name in EXTENSIONS),
    refused("repeated_fields", "content-type"),
    reject(
        "content-type-equal",
        get(b"Content-Type: a/b\r\nX: y\r\ncontent-type: a/b\r\n"),
        "9110 8.3",
        statuses=(400,),
    ),
    *(
        reject(name, extended(text), "9112 7.1.1", statuses=(400,))
        for name, text in {
            "equals-twice": b";a=b=c",
            "value-then-quoted": b';a=b"c"',
            "quoted-then-token": b';a="b"c',
            "quoted-name": b';"a"',
            "blank-inside": b";a=b c",
            "blank-at-the-end": b" ",
            "only-equals": b";=",
        }.items()
    ),
]


@pytest.fixture(scope="module", params=[0, 4], ids=["loop", "threads"])
def target(
    request: pytest.FixtureRequest, start_target: Callable[..., Any]
) -> Iterator[Target]:
    with start_target(
        "wsgibench_audit:application",
        threads=request.param,
        unix=True,
        max_head=LIMIT,
    ) as started:
        yield started


def check(outcomes: list[delivery.Outcome]) -> None:
    bad = [outcome for outcome in outcomes if outcome.complaint]
    assert not bad, "\n".join(map(delivery.describe, bad[:8]))


@pytest.mark.parametrize("way", [delivery.whole, delivery.every_cut])
def test_refused(target: Target, way: delivery.Delivery) -> None:
    check(delivery.run(target, CASES, way))


def test_what_the_grammar_allows_is_accepted(target: Target) -> None:
    cases = [
        dataclasses.replace(case, verdict="accept")
        for case in families.all_cases()
        if case.family == "chunk_extension"
        and case.name.replace("free-", "") in GRAMMAR
    ]
    assert len(cases) == len(GRAMMAR)
    check(delivery.run(target, cases, delivery.by_byte))


@pytest.mark.parametrize("step", [1, 100, 3000])
def test_a_line_without_end_stops_at_the_limit(
    target: Target, step: int
) -> None:
    """The client waits for an answer once it has sent one byte too many."""
    start = b"GET / HTTP/1.1\r\n"
    text = b"Host: a\r\nX: " + b"a" * (LIMIT - 11)
    assert len(text) == LIMIT + 1
    pieces = [start] + [
        text[at : at + step] for at in range(0, len(text), step)
    ]
    (reply,) = exchange(target.address, [Script(pieces)])
    assert reply.end != "deadline"
    assert [r.status for r in parse_all(reply.data)] == [431]
