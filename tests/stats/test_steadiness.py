"""Is there one CPU per request? Courses planted in starts, and noise that is
no course."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from tests.stats import synthetic
from wsgibench.stats import samples, shift, steadiness
from wsgibench.stats.samples import Array, Windows
from wsgibench.stats.steadiness import Doubtful

Rng = np.random.Generator


def windows(costs: Array, begin: float = 0.0) -> Windows:
    """At 90 % of a CPU."""
    count = len(costs)
    return Windows(
        begin + np.arange(count) / 10,
        np.full(count, 0.1),
        90_000 / costs,
        np.full(count, 90_000.0),
    )


def noise(rng: Rng, count: int, size: float, alike: float = 0.0) -> Array:
    """Factors with heavy tails; neighbours are alike."""
    fresh = rng.standard_t(4, count) / np.sqrt(2)
    found = fresh.copy()
    for i in range(1, count):
        found[i] = alike * found[i - 1] + np.sqrt(1 - alike**2) * fresh[i]
    return np.asarray(np.exp(size * found))


def judged(
    course: Callable[[Array], Array],
    *,
    starts: int,
    count: int = 50,
    size: float = 0.02,
    alike: float = 0.3,
    seed: int = 1,
) -> Doubtful | None:
    """`course`: of 10 us, over a time from 0 to 1."""
    rng = np.random.default_rng(seed)
    time = np.arange(count) / count
    return steadiness.doubtful(
        [
            windows(10 * course(time) * noise(rng, count, size, alike))
            for _ in range(starts)
        ]
    )


def flat(time: Array) -> Array:
    return np.ones(len(time))


def step(size: float, at: float = 0.5) -> Callable[[Array], Array]:
    return lambda time: np.where(time < at, 1.0, 1.0 + size)


def leak(size: float) -> Callable[[Array], Array]:
    return lambda time: 1 + size * time


@pytest.mark.parametrize(
    ("starts", "size"), [(1, 0.01), (3, 0.02), (10, 0.04)]
)
@pytest.mark.parametrize("count", [20, 50])
@pytest.mark.parametrize(
    ("course", "code"),
    [
        (step(0.05), "unsteady"),
        (step(-0.05), "warming-up"),
        (step(0.12, at=0.75), "unsteady"),
        (leak(0.15), "unsteady"),
        (leak(-0.15), "warming-up"),
    ],
)
def test_what_is_planted_is_found(
    course: Any, code: str, starts: int, size: float, count: int
) -> None:
    found = judged(
        course,
        starts=starts,
        size=size / 2 if count == 20 else size,
        count=count,
    )
    assert found is not None
    assert found.why["code"] == code


def share(course: Any, **more: Any) -> float:
    """Of 100 cells that are doubtful."""
    return (
        sum(
            judged(course, seed=seed, **more) is not None
            for seed in range(100)
        )
        / 100
    )


@pytest.mark.parametrize("starts", [1, 2, 3, 10])
@pytest.mark.parametrize("size", [0.005, 0.02, 0.1])
def test_noise_is_no_course(starts: int, size: float) -> None:
    if starts == 3 and size == 0.1:
        size = 0.05
    assert share(flat, starts=starts, count=20, size=size) <= 0.03
    assert share(flat, starts=starts, count=50, size=size, alike=0.5) <= 0.03


@pytest.mark.parametrize("course", [step(0.02), step(-0.02), leak(0.03)])
def test_what_nobody_would_choose_a_server_for_is_no_reason(
    course: Any,
) -> None:
    """However sure it is."""
    assert share(course, starts=1, size=0.001) == 0
    assert share(course, starts=10, size=0.001) == 0


def test_a_spike_is_no_step() -> None:
    costs = np.full(50, 10.0) * noise(np.random.default_rng(1), 50, 0.01)
    costs[30:33] *= 2
    assert steadiness.doubtful([windows(costs)]) is None


def of_starts(values: Sequence[float]) -> Doubtful | None:
    rng = np.random.default_rng(1)
    return steadiness.doubtful(
        [windows(value * noise(rng, 50, 0.01)) for value in values]
    )


def test_two_kinds_of_starts_have_no_mean() -> None:
    found = of_starts([10, 13.1, 10.1, 13, 9.9, 10, 13.2, 10.05, 10, 12.9])
    assert found is not None
    assert found.why["what"] == (
        "its starts are of two kinds: 6 at about 9.99 us, 4 at about 13 us"
    )
    assert found.why["numbers"] == ["server_cpu_us"]
    assert found.range == pytest.approx((9.9, 13.2), rel=0.01)


def test_starts_far_apart_have_a_vague_mean() -> None:
    found = of_starts([10, 12, 9])
    assert found is not None
    assert found.why["what"] == (
        "its 3 starts went from 9.02 to 12 us, so their mean has a standard "
        "error of 8 %"
    )
    assert of_starts([10, 10.4, 9.8]) is None
    assert of_starts([10, 12, 9, 10.5, 9.5, 11, 10, 10, 10.5, 9.7]) is None
    assert of_starts([10, 12]) is None  # its interval says that


def test_starts_of_one_kind_are_rarely_two() -> None:
    rng = np.random.default_rng(1)
    for count in (8, 10, 30):
        values = np.exp(rng.normal(0, 0.1, (500, count)))
        found = sum(shift.kinds(list(one)) is not None for one in values)
        assert found <= 10


def test_windows_without_an_answer_are_no_course() -> None:
    costs = np.full(30, 10.0)
    one = windows(costs)
    one.ok[::3] = 0
    one.cpu_us[::3] = 0
    assert steadiness.doubtful([one]) is None
    assert steadiness.doubtful([]) is None
    one.ok[:] = 0
    assert steadiness.doubtful([one, one, one]) is None


def test_the_rest_of_a_window_at_the_end_is_left_out() -> None:
    start = synthetic.start(np.full(20, 9000), np.full(20, 90_000.0))
    last = start["load"]["windows"][-1]
    last["end_ns"] = last["start_ns"] + 4_000_000
    assert len(samples.windows(start).ok) == 19
