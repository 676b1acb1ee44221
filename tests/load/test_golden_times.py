"""Open-loop response times against the truth.

The server writes down when it sent each answer, and constant arrivals are due
at times that follow from their number: the truth is the difference. Delays
are injected that are so large that the way back is small beside them, unless
somebody else had the CPU: then the generator's own schedule lag says so, the
run is made again, and what lag is left is added to the two per cent.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Callable

import pytest

from wsgibench.load.hdr import Histogram

Load = Callable[..., dict[str, Any]]
Golden = Callable[..., Any]

RATE = 250.0
ATTEMPTS = 3
QUIET_NS = 4_000_000
BUSY_NS = 150_000_000


@pytest.fixture
def undisturbed(load: Load, golden: Golden) -> Callable[..., Any]:
    """undisturbed(plan, **fields): (result, account) of the one run of
    several in which the generator was least late."""

    def once(plan: dict[str, Any], **fields: Any) -> Any:
        server = golden(**plan, times=True)
        result = load(server.url, poisson=False, **fields)
        return result, server.account()

    def run(plan: dict[str, Any], **fields: Any) -> Any:
        def disturbance(run: Any) -> tuple[int, int]:
            # What was due while somebody else had the CPU at the very end
            # could not be sent any more.
            result = run[0]
            return result["classes"]["unsent"], result["lag"]["max_ns"]

        best = once(plan, **fields)
        for _ in range(ATTEMPTS - 1):
            if best[0]["lag"]["max_ns"] < QUIET_NS:
                break
            best = min(best, once(plan, **fields), key=disturbance)
        if best[0]["lag"]["max_ns"] > BUSY_NS:
            pytest.skip("this machine is too busy to hold a schedule")
        return best

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


def check(result: dict[str, Any], truth: list[float]) -> None:
    assert result["classes"]["ok"] == len(truth) == result["scheduled"]
    hdr = Histogram.decode(result["response"]["hdr"])
    lag = result["lag"]["max_ns"]
    for name, q in (("p99", 0.99), ("p99.9", 0.999)):
        expected = quantile(truth, q)
        measured = result["response"][name + "_ns"]
        slack = 0.02 * expected + lag
        assert measured == pytest.approx(expected, abs=slack), name
        assert hdr.quantile(q) == pytest.approx(measured, rel=0.001), name


def test_each_tenth_answer_is_a_second_late(
    undisturbed: Callable[..., Any]
) -> None:
    result, account = undisturbed(
        {"delay_each": 10, "delay": 1.0},
        connections=64,
        duration=3,
        rate=RATE,
        drain=5,
        expect_body=b"a right answer",
    )
    assert account["did"]["delay"] == result["scheduled"] // 10
    truth = waited(at_rate(result), account)
    assert quantile(truth, 0.99) >= 1e9
    check(result, truth)
    # Whoever waited for a connection (while the first ones were made) waited
    # for a moment, so the service time is the same.
    assert result["service"]["p99_ns"] == pytest.approx(
        result["response"]["p99_ns"],
        abs=0.02e9 + result["lag"]["max_ns"],
    )


def test_a_stop_of_1_4_seconds(undisturbed: Callable[..., Any]) -> None:
    """Requests due while the server stood still waited until it went on;
    with four connections most of them were not even sent. A generator that
    measures from the send sees four slow answers."""
    result, account = undisturbed(
        {"stall_at": 250, "stall": 1.4},
        connections=4,
        duration=4,
        rate=RATE,
        drain=5,
        expect_body=b"a right answer",
    )
    truth = waited(at_rate(result), account)
    assert sum(value > 50e6 for value in truth) >= 0.25 * len(truth)
    assert quantile(truth, 0.99) > 1.2e9
    check(result, truth)
    assert result["starved"] > 300
    service = Histogram.decode(result["service"]["hdr"])
    # place 20 * 1024 begins at 537 ms
    assert sum(n for at, n in service.places.items() if at > 20 * 1024) <= 4


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


def test_a_ramp(undisturbed: Callable[..., Any]) -> None:
    """From 100/s to 900/s in 2 s. The server stands still all the while, so
    that every answer tells when its request was due: where the integral of
    the rate, 100 t + 200 t^2, reaches its number."""
    result, account = undisturbed(
        {"stall_at": 1, "stall": 2.5},
        connections=1100,  # or what waits is not sent when the run ends
        duration=2,
        rate=100,
        rate_end=900,
        drain=10,
        timeout=20,
    )
    truth = waited(
        (
            result["start_ns"] + (-100 + (100**2 + 800 * n) ** 0.5) / 400 * 1e9
            for n in range(1, result["scheduled"] + 1)
        ),
        account,
    )
    assert len(truth) in (999, 1000)  # the last is due at the end
    # A thousand connections are not answered in the order of their requests,
    # but the sum of the times does not depend on it.
    mean = sum(truth) / len(truth)
    assert result["response"]["mean_ns"] == pytest.approx(
        mean, abs=0.05 * mean + result["lag"]["max_ns"]
    )
