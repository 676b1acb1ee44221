"""How a time is divided among starts."""

from __future__ import annotations

import pytest

from wsgibench.harness.budget import (
    FEW,
    FEWEST,
    LONG_ENOUGH,
    SHORTEST,
    Part,
    divide,
)
from wsgibench.harness.plan import Load

LOAD = Load(64, 1.5, 0.0, True, "browser", settle=30.0)
FIXED = Load(64, 2.0, 1.0, True, "browser")
BLOCK = [Part(LOAD, False)] * 6 + [Part(LOAD, True)] * 5


def test_what_is_left_over_is_warm_up() -> None:
    found = divide(240.0, BLOCK, 3)
    assert found.starts == 3
    assert SHORTEST < found.warmup < LONG_ENOUGH
    assert found.seconds == pytest.approx(240.0)


@pytest.mark.parametrize(
    ("left", "starts"), [(120.0, FEWEST), (180.0, FEW), (1200.0, 10)]
)
def test_starts(left: float, starts: int) -> None:
    found = divide(left, BLOCK, 10)
    assert found.starts == starts
    if starts > FEW:
        assert found.warmup >= LONG_ENOUGH
        assert found.seconds <= left


def test_too_little_is_said_by_the_seconds() -> None:
    found = divide(10.0, BLOCK, 3)
    assert (found.starts, found.warmup) == (FEWEST, SHORTEST)
    assert found.seconds > 10.0


def test_without_a_jit_only_starts_are_left_out() -> None:
    block = [Part(FIXED, True), Part(LOAD, False)]
    each = sum(part.seconds(0.0) for part in block)
    assert divide(7.5 * each, block, 30).starts == 7
    assert divide(7.5 * each, block, 5).starts == 5
