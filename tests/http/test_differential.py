"""Against h11, a parser of other people's: mutated messages that it refuses
must not reach the application. What ours accepts alone needs a reason."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any, Callable

import pytest

from tests.wire.target import Target
from wsgibench.audit.http import families
from wsgibench.audit.http.case import FOLLOW_UP, Case
from wsgibench.audit.wire.exchange import Script, exchange
from wsgibench.audit.wire.responses import finals, parse_all

h11 = pytest.importorskip("h11")

APP = "wsgibench_audit:application"
SEED = 20261121
ROUNDS = 3000
#: Bytes that parsers have stumbled over.
SPICE = [b"\r", b"\n", b"\r\n", b"\0", b" ", b"\t", b"\x0b", b"\x0c", b"\x7f"]
SPICE += [b"\x80", b"\xa0", b"\xff", b":", b",", b";", b"=", b"_", b"-", b"+"]
SPICE += [b"0", b"1", b"5", b"a", b"x", b"/", b"*", b"?", b"#", b"%", b"0x"]
SPICE += [b"chunked", b"Content-Length: 5\r\n", b"Host: b\r\n", b'"']
SPICE += [b"Transfer-Encoding: chunked\r\n", b"HTTP/1.1", b"\r\n\r\n"]


def mutated(raw: bytes, dice: random.Random) -> bytes:
    data = bytearray(raw)
    for _ in range(dice.randint(1, 3)):
        at = dice.randrange(len(data) + 1)
        choice = dice.random()
        if choice < 0.5:
            data[at:at] = dice.choice(SPICE)
        elif choice < 0.75:
            del data[at : at + dice.randint(1, 3)]
        else:
            data[at : at + 1] = dice.choice(SPICE)
    return bytes(data)


def messages() -> Iterator[bytes]:
    dice = random.Random(SEED)
    seeds = [
        case.raw
        for case in families.all_cases()
        if case.verdict == "accept" and len(case.raw) < 400
    ]
    for _ in range(ROUNDS):
        yield mutated(dice.choice(seeds), dice)


def h11_accepts(raw: bytes) -> bool:
    """Whether h11 finds the first request of `raw` whole and valid."""
    connection = h11.Connection(h11.SERVER)
    connection.receive_data(raw)
    try:
        while True:
            event = connection.next_event()
            if isinstance(event, h11.EndOfMessage):
                return True
            if event in (h11.NEED_DATA, h11.PAUSED):
                return False
    except h11.RemoteProtocolError:
        return False


#: What h11 refuses and the RFC allows; nothing else may get through.
ALLOWED: dict[str, Callable[[bytes], bool]] = {
    # RFC 9112 2.2: h11 leaves that to its caller.
    "an empty line before the request": lambda raw: raw.startswith(b"\r\n"),
    # Browsers send them raw; PATH_INFO carries them (PEP 3333).
    "bytes above 0x7f in the target": lambda raw: (
        max(raw.split(b"\r\n")[0]) > 0x7F
    ),
    # RFC 9110 8.6 sets no number of digits; h11 stops at 20.
    "a length with many zeros": lambda raw: b"Length: 00000000000000" in raw,
}


@pytest.fixture(scope="module")
def target(start_target: Callable[..., Any]) -> Iterator[Target]:
    with start_target(APP, unix=True) as started:
        yield started


def test_accepts_nothing_that_h11_refuses(target: Target) -> None:
    raws = list(dict.fromkeys(messages()))
    scripts = [Script([raw], half_close=True) for raw in raws]
    suspects = []
    for raw, reply in zip(raws, exchange(target.address, scripts)):
        assert reply.end != "deadline", raw
        answers = finals(parse_all(reply.data))
        accepted = bool(answers) and answers[0].status == 200
        justified = any(allowed(raw) for allowed in ALLOWED.values())
        if accepted and not h11_accepts(raw) and not justified:
            suspects.append((raw, reply.data[:100]))
    assert not suspects, suspects[:5]


def test_h11_agrees_on_the_table() -> None:
    """The table and h11 agree on most refusals, or the oracle is no use."""
    cases = [c for c in families.all_cases() if c.verdict == "reject"]
    agreed = sum(not h11_accepts(c.raw + FOLLOW_UP) for c in cases)
    assert agreed > 0.6 * len(cases)


def test_accepted_by_both_ends_at_the_same_byte(target: Target) -> None:
    """Two requests in one stream: who frames the first differently sees
    another number of requests."""
    cases: list[Case] = [
        c
        for c in families.all_cases()
        if c.verdict == "accept" and c.persists is True and not c.half_close
    ]
    checked = 0
    scripts = [Script([case.data]) for case in cases]
    for case, reply in zip(cases, exchange(target.address, scripts)):
        expected = h11_count(case.data)
        if expected is None:
            continue
        checked += 1
        answers = finals(parse_all(reply.data))
        assert len(answers) == expected, case.name
    assert checked > 100


def h11_count(raw: bytes) -> int | None:
    """How many requests h11 reads, None if it refuses any."""
    count = 0
    while raw:
        connection = h11.Connection(h11.SERVER)
        connection.receive_data(raw)
        try:
            while not isinstance(
                event := connection.next_event(), h11.EndOfMessage
            ):
                if event in (h11.NEED_DATA, h11.PAUSED):
                    return None
        except h11.RemoteProtocolError:
            return None
        count += 1
        raw = connection.trailing_data[0]
    return count
