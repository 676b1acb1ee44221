"""The intervals, on starts whose truth is known. Random numbers are seeded."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import scipy.stats

from tests.stats import synthetic
from wsgibench.stats import bootstrap, samples
from wsgibench.stats.samples import Series

TRIALS = 500
#: What each start and each window varies by, in turn; neighbours alike.
NOISES: dict[str, dict[str, Any]] = {
    "starts vary": {"between": 0.03, "within": 0.03},
    "windows vary": {"between": 0.0, "within": 0.05},
    "neighbours alike": {"between": 0.01, "within": 0.04, "steady": 0.6},
}


def draw(
    rng: np.random.Generator,
    cost: float,
    count: int,
    noise: dict[str, Any],
) -> list[Series]:
    found = []
    for _ in range(count):
        ok, used = synthetic.windows_of(rng, cost, **noise)
        found.append(Series(used, ok))
    return found


@pytest.mark.parametrize(
    ("starts", "paired"), [(3, True), (5, False), (10, True)]
)
@pytest.mark.parametrize("noise", NOISES)
def test_interval_holds_the_truth_as_often_as_it_says(
    noise: str, starts: int, paired: bool
) -> None:
    rng = np.random.default_rng(starts)
    truth = 1.07
    held = 0
    for trial in range(TRIALS):
        a = draw(rng, 10 * truth, starts, NOISES[noise])
        b = draw(rng, 10, starts, NOISES[noise])
        found = bootstrap.ratio(a, b, paired=paired, seed=trial, resamples=400)
        held += found.low <= truth <= found.high
    assert 0.93 <= held / TRIALS <= 0.97


def test_mean_agrees_with_student_on_normal_starts() -> None:
    values = np.exp(np.random.default_rng(3).normal(2, 0.05, 12))
    starts = [Series(np.array([v]), np.ones(1)) for v in values]
    found = bootstrap.mean(starts, resamples=40_000)
    logs = np.log(values)
    low, high = scipy.stats.t.interval(
        0.95, 11, logs.mean(), scipy.stats.sem(logs)
    )
    assert found.estimate == pytest.approx(math.exp(logs.mean()))
    assert math.log(found.low) == pytest.approx(low, abs=0.003)
    assert math.log(found.high) == pytest.approx(high, abs=0.003)


def test_welch_agrees_with_scipy() -> None:
    rng = np.random.default_rng(4)
    a = rng.normal(0, 1, 9)
    b = rng.normal(0.3, 3, 5)

    def side(values: samples.Array) -> bootstrap._Side:
        return bootstrap._Side(values, np.zeros((len(values), 1)))

    result = scipy.stats.ttest_ind(a, b, equal_var=False)
    assert bootstrap.welch(side(a), side(b)) == pytest.approx(result.df)


def test_p_value_agrees_with_scipy() -> None:
    rng = np.random.default_rng(5)
    a, b = rng.normal(0.0, 1, 8), rng.normal(0.9, 1, 8)
    found = bootstrap.ratio(
        [Series(np.exp([v]), np.ones(1)) for v in a],
        [Series(np.exp([v]), np.ones(1)) for v in b],
        paired=True,
        resamples=40_000,
    )
    assert found.p == pytest.approx(
        scipy.stats.ttest_rel(a, b).pvalue, rel=0.05
    )


def test_pairs_take_out_what_both_share() -> None:
    rng = np.random.default_rng(6)
    drift = np.exp(np.cumsum(rng.normal(0, 0.1, 8)))
    a = [Series(np.array([11 * d]), np.ones(1)) for d in drift]
    b = [Series(np.array([10 * d]), np.ones(1)) for d in drift]
    assert bootstrap.ratio(a, b, paired=True).low == pytest.approx(1.1)
    assert bootstrap.ratio(a, b, paired=False).low < 1.0


def test_one_start_says_nothing_of_others() -> None:
    one = [Series(np.array([4.0]), np.array([2.0]))]
    found = bootstrap.mean(one)
    assert found.estimate == pytest.approx(2.0)
    assert not found.known
    assert not bootstrap.ratio(one, one, paired=True).known


def test_a_reference_of_each_run_takes_out_the_machine() -> None:
    rng = np.random.default_rng(7)

    def run(machine: float) -> tuple[list[Series], list[Series]]:
        noise: dict[str, Any] = {"between": 0.005, "within": 0.02}
        return (
            draw(rng, 20 * machine, 8, noise),
            draw(rng, 5 * machine, 8, noise),
        )

    found = bootstrap.relative([run(1.3), run(1.0)])
    assert found.low < 1 < found.high
    assert found.high / found.low < 1.05


def test_inverse_turns_the_interval_round() -> None:
    found = bootstrap.Interval(2.0, 1.5, 4.0, 0.01, 5).inverse
    assert (found.estimate, found.low) == (0.5, 0.25)
    assert found.high == pytest.approx(1 / 1.5)
