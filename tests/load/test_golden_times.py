"""Open-loop response times against the truth.

The server writes down when it sent each answer, and constant arrivals are due
at times that follow from their number: the truth is the difference. Delays
are so long that the way back is small beside them. Where somebody else had the
CPU the client gets an answer later than it was sent; that can only add, and
another run is not disturbed in the same places. So one run of several has to
agree with its truth; a generator that measures wrongly never does. Where all
of them were late by more than that could be told from, nothing is said.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Callable

import pytest

from wsgibench.harness import usage
from wsgibench.load.hdr import Histogram

Load = Callable[..., dict[str, Any]]
Golden = Callable[..., Any]
#: A result, the server's account, and for how long both had no CPU.
Run = tuple[dict[str, Any], dict[str, Any], int]

RATE = 250.0
TOLERANCE = 0.005
ATTEMPTS = 5
#: Nanoseconds for which server and generator were ready and had no CPU, from
#: which an answer may come later than it was sent by what is told apart here.
BUSY_NS = 5_000_000


@pytest.fixture
def agree(load: Load, golden: Golden) -> Callable[..., None]:
    """agree(check, plan, **fields): check(result, account) holds for one of
    several runs."""

    def once(plan: dict[str, Any], fields: dict[str, Any]) -> Run:
        server = golden(**plan, times=True)
        result = load(server.url, poisson=False, **fields)
        busy = result["lag"]["max_ns"] + usage.read(server.process.pid).wait_ns
        return result, server.account(), busy

    def run(
        check: Callable[[dict[str, Any], dict[str, Any]], None],
        plan: dict[str, Any],
        **fields: Any,
    ) -> None:
        quiet = []
        for _ in range(ATTEMPTS):
            result, account, busy = once(plan, fields)
            try:
                check(result, account)
                return
            except AssertionError as error:
                if busy < BUSY_NS:
                    quiet.append(error)
        if quiet:
            raise quiet[0]
        pytest.skip("this machine is too busy to hold a schedule")

    return run


def waited(due_ns: Iterator[float], account: dict[str, Any]) -> list[float]:
    """The server's own account of response times, by number."""
    sent = account["sent_ns"]
    return [
        sent[str(number)] - due
        for number, due in zip(range(1, len(sent) + 1), due_ns)
    ]


def at_rate(result: dict[str, Any]) -> Iterator[float]:
    """When the n-th is due: n / rate after the start."""
    for number in range(1, result["scheduled"] + 1):
        yield result["start_ns"] + number / RATE * 1e9


def quantile(values: list[float], q: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered), max(1, int(q * len(ordered) + 0.5))) - 1]


def check(
    result: dict[str, Any],
    truth: list[float],
    quantiles: tuple[float, ...] = (0.99, 0.999),
) -> None:
    assert result["classes"]["ok"] == len(truth) == result["scheduled"]
    hdr = Histogram.decode(result["response"]["hdr"])
    for q in quantiles:
        expected = quantile(truth, q)
        measured = hdr.quantile(q)
        assert measured == pytest.approx(expected, rel=TOLERANCE), q
    for name, q in (("p50", 0.5), ("p99", 0.99), ("p99.9", 0.999)):
        value = result["response"][name + "_ns"]
        assert hdr.quantile(q) == pytest.approx(value, rel=0.001), name


def test_known_delays(agree: Callable[..., None]) -> None:
    """A fifth of the answers at each of five delays: each quantile lies in the
    middle of many that are alike."""
    delays = [0.2, 1.6, 0.4, 3.2, 0.8]

    def right(result: dict[str, Any], account: dict[str, Any]) -> None:
        truth = waited(at_rate(result), account)
        check(result, truth, (0.1, 0.3, 0.5, 0.7, 0.9, 0.95))
        for q, delay in zip((0.1, 0.3, 0.5, 0.7, 0.9), sorted(delays)):
            assert quantile(truth, q) >= delay * 1e9
        service = Histogram.decode(result["service"]["hdr"])
        for q in (0.1, 0.3, 0.5, 0.7, 0.9):
            measured = service.quantile(q)
            assert measured == pytest.approx(quantile(truth, q), rel=TOLERANCE)

    agree(
        right,
        {"delays": delays},
        connections=400,
        duration=1,
        rate=RATE,
        drain=5,
    )


def test_each_tenth_answer_is_a_second_late(
    agree: Callable[..., None],
) -> None:
    def right(result: dict[str, Any], account: dict[str, Any]) -> None:
        assert account["did"]["delay"] == result["scheduled"] // 10
        truth = waited(at_rate(result), account)
        assert quantile(truth, 0.99) >= 1e9
        check(result, truth, (0.93, 0.95, 0.98))
        # Whoever waited for a connection (while the first ones were made)
        # waited for a moment, so the service time is the same.
        service = Histogram.decode(result["service"]["hdr"])
        assert service.quantile(0.95) == pytest.approx(
            quantile(truth, 0.95), rel=TOLERANCE
        )

    agree(
        right,
        {"delay_each": 10, "delay": 1.0},
        connections=64,
        duration=3,
        rate=RATE,
        drain=5,
        expect_body=b"a right answer",
    )


def test_a_stop_of_1_4_seconds(agree: Callable[..., None]) -> None:
    """Requests due while the server stood still waited until it went on;
    with four connections most of them were not even sent. A generator that
    measures from the send sees four slow answers."""

    def right(result: dict[str, Any], account: dict[str, Any]) -> None:
        truth = waited(at_rate(result), account)
        assert sum(value > 50e6 for value in truth) >= 0.25 * len(truth)
        assert quantile(truth, 0.99) > 1.2e9
        check(result, truth)
        assert result["starved"] > 300
        service = Histogram.decode(result["service"]["hdr"])
        # place 20 * 1024 begins at 537 ms
        late = [n for at, n in service.places.items() if at > 20 * 1024]
        assert sum(late) <= 4

    agree(
        right,
        {"stall_at": 250, "stall": 1.4},
        connections=4,
        duration=4,
        rate=RATE,
        drain=5,
        expect_body=b"a right answer",
    )


def test_poisson_arrivals(load: Load, golden: Golden) -> None:
    """The same seed is the same schedule; its count is Poisson's."""
    server = golden()
    runs = [
        load(server.url, connections=8, duration=1, rate=1000, seed=seed)
        for seed in (7, 7, 8)
    ]
    counts = [run["scheduled"] for run in runs]
    assert counts[0] == counts[1] != counts[2]
    # Five standard deviations: fails once in two million seeds, and the
    # seeds are fixed.
    assert all(abs(count - 1000) < 5 * 1000**0.5 for count in counts)


def test_a_ramp(agree: Callable[..., None]) -> None:
    """From 100/s to 900/s in 2 s. The server stands still all the while, so
    that every answer tells when its request was due: where the integral of
    the rate, 100 t + 200 t^2, reaches its number."""

    def right(result: dict[str, Any], account: dict[str, Any]) -> None:
        due = (
            result["start_ns"] + (-100 + (100**2 + 800 * n) ** 0.5) / 400 * 1e9
            for n in range(1, result["scheduled"] + 1)
        )
        truth = waited(due, account)
        assert len(truth) in (999, 1000)  # the last is due at the end
        # A thousand connections are not answered in the order of their
        # requests, but the sum of the times does not depend on it.
        mean = sum(truth) / len(truth)
        measured = result["response"]["mean_ns"]
        assert measured == pytest.approx(mean, rel=2 * TOLERANCE)

    agree(
        right,
        {"stall_at": 1, "stall": 2.5},
        connections=1100,  # or what waits is not sent when the run ends
        duration=2,
        rate=100,
        rate_end=900,
        drain=10,
        timeout=20,
    )


def test_gaps_of_constant_arrivals(agree: Callable[..., None]) -> None:
    """As the server saw them, over three processes: no bursts."""

    def right(result: dict[str, Any], account: dict[str, Any]) -> None:
        sent = sorted(account["sent_ns"].values())
        gaps = sorted(b - a for a, b in zip(sent, sent[1:]))
        # Due each 10 ms; a burst of three has two gaps of nothing.
        assert gaps[len(gaps) // 2] > 5e6

    agree(right, {}, connections=6, processes=3, rate=100, duration=2, drain=5)
