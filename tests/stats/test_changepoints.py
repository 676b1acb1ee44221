"""Planted changes are found, and none where there is none."""

from __future__ import annotations

import numpy as np
import pytest

from wsgibench.stats import changepoints, effective, warmup

TRIALS = 300


def test_planted_changes_are_found_within_one_window() -> None:
    """Two changes of 4 to 12 times the noise, anywhere but at the edges."""
    rng = np.random.default_rng(1)
    planted = found_right = 0
    for _ in range(TRIALS):
        places = (int(rng.integers(8, 40)), int(rng.integers(55, 90)))
        sizes = rng.uniform(4, 12, 2) * rng.choice([-1, 1], 2)
        row = rng.normal(100, 1, 100)
        for place, size in zip(places, sizes):
            row[place:] += size
        found = changepoints.find(row)
        planted += 2
        found_right += sum(
            any(abs(one - place) <= 1 for one in found) for place in places
        )
    assert found_right / planted >= 0.95


@pytest.mark.parametrize("count", [20, 100, 250])
def test_even_rows_have_no_changes(count: int) -> None:
    rng = np.random.default_rng(2)
    false = sum(
        bool(changepoints.find(rng.normal(50, 3, count)))
        for _ in range(TRIALS)
    )
    assert false / TRIALS <= 0.05


def test_a_lone_spike_is_no_change() -> None:
    row = np.random.default_rng(3).normal(10, 0.1, 60)
    row[30] = 100
    assert changepoints.find(row) == []


def test_rows_without_noise() -> None:
    assert changepoints.find(np.full(30, 5.0)) == []
    assert changepoints.find(np.array([5.0] * 12 + [9.0] * 12)) == [12]
    assert changepoints.find(np.array([1.0, 9.0])) == []


LABELS = {
    warmup.FLAT: [(100, 10)],
    warmup.WARM_UP: [(15, 30), (10, 16), (75, 10)],
    warmup.SLOWDOWN: [(10, 20), (40, 10), (50, 12)],
    warmup.NO_STEADY_STATE: [(40, 10), (45, 12), (15, 15)],
}


@pytest.mark.parametrize("label", LABELS)
def test_labels_of_known_courses(label: str) -> None:
    rng = np.random.default_rng(4)
    right = 0
    for _ in range(TRIALS):
        costs = np.concatenate(
            [
                level * (1 + rng.normal(0, 0.02, count))
                for count, level in LABELS[label]
            ]
        )
        right += warmup.course(costs).label == label
    assert right / TRIALS >= 0.95


def test_steady_state_begins_at_the_last_change() -> None:
    rng = np.random.default_rng(5)
    costs = np.r_[np.full(20, 30.0), np.full(60, 10.0)]
    found = warmup.course(costs * (1 + rng.normal(0, 0.02, 80)))
    assert abs(found.steady - 20) <= 1


def test_small_steps_are_one_level() -> None:
    """A cent of cost is no warm-up, however sure it is."""
    rng = np.random.default_rng(6)
    costs = np.r_[np.full(40, 10.2), np.full(40, 10.0)]
    found = warmup.course(costs + rng.normal(0, 0.01, 80))
    assert found.changes
    assert found.label == warmup.FLAT


@pytest.mark.parametrize("rho", [0.0, 0.5, 0.8])
def test_how_far_the_windows_of_an_autoregression_are_alike(
    rho: float,
) -> None:
    """AR(1): (1 + rho) / (1 - rho) neighbours are worth one."""
    rng = np.random.default_rng(7)
    row = rng.normal(size=4000)
    for i in range(1, len(row)):
        row[i] += rho * row[i - 1]
    truth = (1 + rho) / (1 - rho)
    assert effective.autocorrelation_time(row) == pytest.approx(
        truth, rel=0.25
    )


def test_few_windows_are_not_alike() -> None:
    assert effective.autocorrelation_time(np.full(10, 3.0)) == 1
    assert effective.autocorrelation_time(np.array([1.0, 2.0])) == 1
    assert effective.block_length(np.arange(8.0)) <= 2
