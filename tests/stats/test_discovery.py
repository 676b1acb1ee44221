"""p-values of many comparisons."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats

from wsgibench.stats import discovery


def test_false_discovery_control_is_of_all_tests() -> None:
    p = [0.001, 0.02, 0.04, 0.9]
    expected = scipy.stats.false_discovery_control(p)
    assert discovery.adjusted(p) == pytest.approx(list(expected))
    assert discovery.adjusted([]) == []


def test_p_of_those_beside_the_best() -> None:
    """Two: as it is. Four: 6, 4 and 2 times, and never out of order."""
    assert discovery.beside_the_best([0.03]) == [0.03]
    found = discovery.beside_the_best([0.01, 0.5, 0.001])
    assert found == pytest.approx([0.04, 1.0, 0.006])
    found = discovery.beside_the_best([0.011, 0.01, 0.01])
    assert found == pytest.approx([0.06, 0.06, 0.06])
    assert discovery.beside_the_best([]) == []


def test_families_in_which_nothing_is_found_cost_the_others() -> None:
    assert discovery.of_families([[0.02, 0.3]]) == [[0.02, 0.3]]
    assert discovery.of_families([[], [0.02]]) == [[], [0.02]]
    two = discovery.of_families([[0.01, 0.02], [0.5]])
    assert two == [pytest.approx([0.02, 0.04]), [1.0]]


@pytest.mark.parametrize(
    ("count", "starts"), [(2, 10), (6, 10), (12, 10), (12, 5), (24, 3)]
)
def test_the_chance_of_one_false_finding_beside_the_best(
    count: int, starts: int
) -> None:
    """Of equal ones, each as noisy as it likes, measured in pairs."""
    rng = np.random.default_rng(11)
    runs = 1000
    wrong = 0
    for _ in range(runs):
        spread = rng.uniform(0.5, 2, (count, 1))
        drawn = spread * rng.normal(size=(count, starts))
        best = drawn.mean(axis=1).argmin()
        others = np.delete(drawn, best, axis=0) - drawn[best]
        p = scipy.stats.ttest_1samp(others, 0, axis=1).pvalue
        wrong += min(discovery.beside_the_best(list(p))) <= 0.05
    assert wrong <= 0.06 * runs


def test_more_starts_are_asked_for_among_many() -> None:
    assert discovery.starts_of_many(2) == pytest.approx(1)
    assert discovery.starts_of_many(12) == pytest.approx(2.95, abs=0.01)
