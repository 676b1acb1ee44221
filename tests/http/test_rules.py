"""Every case, delivered whole, byte by byte and cut at every place."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Callable

import pytest

from tests.http import corpus, delivery
from tests.wire.target import Target
from wsgibench.audit.http import families
from wsgibench.audit.http.case import Case

APP = "wsgibench_audit:application"
OWN = families.all_cases()
CORPUS = corpus.cases()
FAMILIES = sorted({case.family for case in OWN})
#: No case is about deadlines; a sender that has no CPU must not meet one.
PATIENT = {"head_timeout": 600.0, "body_timeout": 600.0}


@pytest.fixture(scope="module", params=[0, 4], ids=["loop", "threads"])
def threads(request: pytest.FixtureRequest) -> int:
    return int(request.param)


@pytest.fixture(scope="module")
def target(start_target: Callable[..., Any], threads: int) -> Iterator[Target]:
    with start_target(APP, threads=threads, **PATIENT) as started:
        yield started


@pytest.fixture(scope="module")
def local(start_target: Callable[..., Any], threads: int) -> Iterator[Target]:
    """On a unix socket: there the sender sees what the server has read."""
    with start_target(APP, threads=threads, unix=True, **PATIENT) as started:
        yield started


def check(outcomes: list[delivery.Outcome]) -> None:
    bad = [outcome for outcome in outcomes if outcome.complaint]
    assert not bad, "%d cases\n%s" % (
        len(bad),
        "\n".join(delivery.describe(outcome) for outcome in bad[:8]),
    )


def of(family: str) -> list[Case]:
    return [case for case in OWN if case.family == family]


@pytest.mark.parametrize("family", FAMILIES)
def test_whole(family: str, target: Target) -> None:
    check(delivery.run(target, of(family), delivery.whole))


@pytest.mark.skipif(not CORPUS, reason="no corpus: see tests/http/corpus.py")
def test_corpus(target: Target) -> None:
    check(delivery.run(target, CORPUS, delivery.whole))


@pytest.mark.parametrize("family", FAMILIES)
def test_by_byte(family: str, local: Target) -> None:
    check(delivery.run(local, of(family), delivery.by_byte))


@pytest.mark.parametrize("family", FAMILIES)
def test_every_cut(family: str, local: Target) -> None:
    check(delivery.run(local, of(family), delivery.every_cut))


@pytest.mark.skipif(not CORPUS, reason="no corpus: see tests/http/corpus.py")
@pytest.mark.parametrize("way", [delivery.by_byte, delivery.every_cut])
def test_corpus_in_segments(way: delivery.Delivery, local: Target) -> None:
    check(delivery.run(local, CORPUS, way))


def test_refused_never_reaches_the_application(target: Target) -> None:
    refused = [case for case in OWN if case.verdict == "reject"]
    for way in (delivery.whole, delivery.by_byte):
        missing = delivery.unanswered_calls(target, refused, way)
        assert missing == 0, "%d calls without an answer" % missing


def test_the_server_is_still_the_same(target: Target, local: Target) -> None:
    """Runs last in this file: nothing above ended the process."""
    for server in (target, local):
        server.json("/calls")  # it answers
        assert server.alive
        assert "Traceback" not in server.log_text()
