"""The search for the highest rate, against queueing theory; the search for
workers and threads, against trying all of them."""

from __future__ import annotations

import heapq
import math
import random

import pytest

from wsgibench.harness import knee, sizing
from wsgibench.harness.knee import Trial
from wsgibench.harness.sizing import Need, Size

SERVICE = 0.005  # seconds


def waits_at_most(t: float, rate: float) -> float:
    """P(W <= t) of M/D/1 (Erlang 1909; Crommelin 1932)."""
    load = rate * SERVICE
    total = 0.0
    for k in range(int(t / SERVICE) + 1):
        x = rate * (k * SERVICE - t)
        total += x**k / math.factorial(k) * math.exp(-x)
    return (1 - load) * total


def theory(limit: float, quantile: float) -> float:
    """The rate at which that quantile of the response time is the limit."""
    low, high = 0.0, 1 / SERVICE
    for _ in range(60):
        middle = (low + high) / 2
        if waits_at_most(limit - SERVICE, middle) >= quantile:
            low = middle
        else:
            high = middle
    return low


def response_times(rate: float, seed: int, count: int = 60_000) -> list[float]:
    """One server, a queue, Poisson arrivals (Lindley's recursion)."""
    rng = random.Random(seed)
    wait, found = 0.0, []
    for _ in range(count):
        found.append(wait + SERVICE)
        wait = max(0.0, wait + SERVICE - rng.expovariate(rate))
    return sorted(found)


@pytest.mark.parametrize("limit", [0.02, 0.05])
def test_capacity_is_what_queueing_theory_says(limit: float) -> None:
    seeds = iter(range(100))

    def trial(rate: float) -> Trial:
        times = response_times(rate, next(seeds))
        p99 = times[int(0.99 * len(times))]
        return Trial(rate, p99 <= limit, p99 / limit)

    found = knee.search(trial, 30.0)
    assert found.rate == pytest.approx(theory(limit, 0.99), rel=0.05)
    assert len(found.trials) < 15


def test_trials_of_three_seconds_do_not_mislead() -> None:
    """Their p99 is known to a fifth; the searches of three starts agree."""
    seeds = iter(range(1000))

    def trial(rate: float) -> Trial:
        times = response_times(rate, next(seeds), int(3 * rate))
        p99 = times[int(0.99 * len(times))]
        return Trial(rate, p99 <= 0.025, p99 / 0.025)

    found = [knee.search(trial, 30.0).rate for _ in range(20)]
    true = theory(0.025, 0.99)
    assert sum(found) / 20 == pytest.approx(true, rel=0.05)
    off = sorted(abs(rate / true - 1) for rate in found)
    assert off[10] < 0.08  # half of them


@pytest.mark.parametrize("first", [0.6, 10, 999, 12345, 1e6])
@pytest.mark.parametrize("true", [1.0, 777.0, 123456.0])
def test_wherever_it_begins(first: float, true: float) -> None:
    found = knee.search(lambda rate: Trial(rate, rate <= true), first)
    assert found.rate == pytest.approx(true, rel=knee.TOLERANCE)
    assert not found.is_bound


def test_nothing_holds_and_everything_holds() -> None:
    assert knee.search(lambda rate: Trial(rate, False), 100).rate == 0
    found = knee.search(lambda rate: Trial(rate, True), 100)
    assert found.rate == knee.MOST
    assert found.is_bound


def p99(size: Size, need: Need, seed: int = 1) -> float:
    """Slots of threads, and a CPU for each worker that its threads share:
    a request computes, then waits."""
    rng = random.Random(seed)
    slots = [0.0] * (size.workers * size.threads)
    cpus = [0.0] * size.workers
    now, times = 0.0, []
    for number in range(20_000):
        now += rng.expovariate(need.rate)
        begin = max(now, heapq.heappop(slots))
        worker = number % size.workers
        computed = max(begin, cpus[worker]) + need.cpu
        cpus[worker] = computed
        end = computed + need.wait
        heapq.heappush(slots, end)
        times.append(end - now)
    return sorted(times)[int(0.99 * len(times))]


@pytest.mark.parametrize(
    ("rate", "cpu", "wait", "limit"),
    [
        (200, 0.001, 0.040, 0.1),  # waits: threads
        (500, 0.004, 0.002, 0.05),  # computes: workers
        (100, 0.0001, 0.2, 0.25),
        (300, 0.0005, 0.0, 0.01),
    ],
)
def test_size_is_the_least_that_holds(
    rate: float, cpu: float, wait: float, limit: float
) -> None:
    need = Need(rate, cpu, wait)

    def holds(size: Size) -> bool:
        return p99(size, need) <= limit

    found = sizing.least(holds, need, most_workers=8)
    everything = (
        Size(workers, threads)
        for workers in range(1, 9)
        for threads in range(1, 65)
    )
    assert found == next(size for size in everything if holds(size))


def test_size_without_threads_and_without_room() -> None:
    need = Need(100, 0.001, 0.02)
    found = sizing.least(
        lambda size: size.workers >= 4,
        need,
        most_workers=8,
        threads_of=(1,),
    )
    assert found == Size(4, 1) if found else need.threads(4) > 1
    assert sizing.least(lambda size: False, need, most_workers=2) is None


def test_command_lines() -> None:
    size = Size(3, 8)
    lines = [
        sizing.command_line(server, size, "a.b:app")
        for server in sorted(sizing.KNOBS)
    ]
    assert lines == [
        "python -m wsgibench serve a.b:app --workers 3 --threads 8",
        "granian --interface wsgi --workers 3 --blocking-threads 8 a.b:app",
        "gunicorn --worker-class gthread --workers 3 --threads 8 a.b:app",
        "gunicorn --workers 3 a.b:app",
        "uwsgi --http-socket :8000 --master --processes 3 --threads 8 "
        "--module 'a.b:app'",
        "waitress-serve --threads=8 a.b:app",
    ]
    made = "shop:create_app('prod')"
    assert sizing.command_line("gunicorn-sync", size, made) == (
        "gunicorn --workers 3 'shop:create_app(\"prod\")'"
    )
    assert sizing.command_line("waitress", size, made) == (
        "waitress-serve --threads=8 wsgi:app  # wsgi.py: from shop import "
        "create_app; app = create_app('prod')"
    )
    assert sizing.server_text("granian", size) == (
        "granian:workers=3:blocking_threads=8"
    )
    assert sizing.server_text("c-uv", Size(2, 1)) == "c-uv:workers=2:threads=0"
