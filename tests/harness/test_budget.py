"""How a time is divided among starts."""

from __future__ import annotations

import time

import pytest

from wsgibench.harness.budget import (
    FEW,
    FEWEST,
    LONG_ENOUGH,
    SHORTEST,
    Budget,
    Pace,
    Part,
    allocate,
    begun,
)
from wsgibench.harness.plan import Load

LOAD = Load(64, 1.5, 0.0, True, "browser", settle=30.0)
FIXED = Load(64, 2.0, 1.0, True, "browser")
BLOCK = [Part(LOAD, False)] * 6 + [Part(LOAD, True)] * 5


def test_what_is_left_over_is_warm_up() -> None:
    found = allocate(240.0, BLOCK, 3)
    assert found.starts == 3
    assert SHORTEST < found.warmup < LONG_ENOUGH
    assert found.seconds == pytest.approx(240.0)


@pytest.mark.parametrize(
    ("left", "starts"), [(120.0, FEWEST), (180.0, FEW), (1200.0, 10)]
)
def test_starts(left: float, starts: int) -> None:
    found = allocate(left, BLOCK, 10)
    assert found.starts == starts
    if starts > FEW:
        assert found.warmup >= LONG_ENOUGH
        assert found.seconds <= left


def test_too_little_is_said_by_the_seconds() -> None:
    found = allocate(10.0, BLOCK, 3)
    assert (found.starts, found.warmup) == (FEWEST, SHORTEST)
    assert found.seconds > 10.0


def test_without_a_jit_only_starts_are_left_out() -> None:
    block = [Part(FIXED, True), Part(LOAD, False)]
    each = sum(part.seconds(0.0) for part in block)
    assert allocate(7.5 * each, block, 30).starts == 7
    assert allocate(7.5 * each, block, 5).starts == 5


def test_what_took_longer_shortens_the_warm_up_of_the_rest() -> None:
    warmup = allocate(240.0, BLOCK, 3).warmup
    left = [240.0]
    pace = Pace(BLOCK * 3, warmup, lambda: left[0])
    seen = []
    for part in BLOCK * 3:
        seen.append(pace.warmup())
        seconds = part.seconds(seen[-1]) + 0.4  # each takes longer
        left[0] -= seconds
        pace.took(seconds, seen[-1])
    assert seen[0] == pytest.approx(warmup)
    assert min(seen) < warmup - 0.4
    assert min(seen) >= SHORTEST
    assert abs(left[0]) < 5.0  # without it, 13 s too late


def test_there_is_no_warm_up_shorter_than_the_shortest() -> None:
    pace = Pace(BLOCK, 20.0, lambda: 0.0)
    assert pace.warmup() == SHORTEST
    pace.took(1.0, SHORTEST, len(BLOCK) - 1)
    assert pace.warmup() == SHORTEST


def test_it_counts_from_when_the_user_gave_the_command(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = time.clock_gettime(time.CLOCK_BOOTTIME)
    monkeypatch.setenv("WSGIBENCH_BEGAN", str(now - 50.0))
    assert 0.0 < Budget(10_000.0, begun()).left() <= 9950.0
    assert Budget(20.0, begun()).left() == 0.0
    monkeypatch.setenv("WSGIBENCH_BEGAN", "not a number")
    assert begun() <= now  # when this process began
    assert now - begun() < 1e6
