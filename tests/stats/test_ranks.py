"""Ratios by ranks, on starts whose truth is known. Seeded throughout."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import scipy.stats

from tests.stats import synthetic
from wsgibench.stats import comparison, ranks, ratios, samples
from wsgibench.stats.samples import Array, Series, Windows

TRIALS = 600
QUIET: dict[str, Any] = {"between": 0.01, "within": 0.03}
#: What two virtual CPUs beside others were seen to do.
DISTURBED: dict[str, Any] = {**QUIET, "disturbed": 0.5}


def alone(values: Array) -> list[Series]:
    return [Series(np.array([v]), np.ones(1)) for v in values]


def starts(
    rng: np.random.Generator, cost: float, count: int, disturbed: float
) -> list[Series]:
    """Undisturbed they vary by 2 %; a disturbed one is up to 25 % dearer."""
    logs = rng.normal(0, 0.02, count)
    logs += (rng.random(count) < disturbed) * rng.uniform(0, 0.22, count)
    return alone(cost * np.exp(logs))


@pytest.mark.parametrize("count", [8, 10, 30])
@pytest.mark.parametrize("disturbed", [0.0, 0.2, 0.5])
def test_interval_holds_the_truth_as_often_as_it_says(
    count: int, disturbed: float
) -> None:
    rng = np.random.default_rng(count)
    truth = 1.07
    held = 0
    for _ in range(TRIALS):
        a = starts(rng, 10 * truth, count, disturbed)
        b = starts(rng, 10, count, disturbed)
        found = ranks.ratio(a, b)
        held += found.low <= truth <= found.high
    assert 0.93 <= held / TRIALS <= 0.97


def test_the_same_of_ratios_of_ratios() -> None:
    """Two runs, each with a reference, on a machine of another speed."""
    rng = np.random.default_rng(1)
    truth = 1.07
    held = 0
    for _ in range(TRIALS):
        above = ranks.ratio(
            starts(rng, 13 * truth, 10, 0.2), starts(rng, 10, 10, 0.2)
        )
        below = ranks.ratio(starts(rng, 6.5, 10, 0.2), starts(rng, 5, 10, 0.2))
        found = ranks.quotient(above, below)
        held += found.low <= truth <= found.high
    assert 0.93 <= held / TRIALS <= 0.98


def test_a_start_that_is_far_off_hardly_matters() -> None:
    rng = np.random.default_rng(2)
    values = np.exp(rng.normal(0, 0.01, 10))
    spoilt = values.copy()
    spoilt[3] = 9.0
    base = alone(np.exp(rng.normal(0, 0.01, 10)))
    one, other = (
        ranks.ratio(alone(values), base),
        ranks.ratio(alone(spoilt), base),
    )
    assert other.estimate == pytest.approx(one.estimate, rel=0.005)
    assert other.high / other.low < 1.03


def test_the_estimate_and_p_agree_with_scipy() -> None:
    rng = np.random.default_rng(3)
    a, b = rng.normal(0.02, 0.02, 9), rng.normal(0, 0.02, 8)
    found = ranks.ratio(alone(np.exp(a)), alone(np.exp(b)))
    assert found.p == scipy.stats.mannwhitneyu(a, b).pvalue
    assert math.log(found.estimate) == pytest.approx(
        np.median([x - y for x in a for y in b])
    )
    assert found.starts == 8


def test_p_of_a_ratio_of_ratios_goes_with_its_interval() -> None:
    rng = np.random.default_rng(4)
    for _ in range(50):
        sides = [starts(rng, 10, 10, 0.2) for _ in range(4)]
        found = ranks.quotient(
            ranks.ratio(sides[0], sides[1]), ranks.ratio(sides[2], sides[3])
        )
        outside = not found.low <= 1 <= found.high
        assert (found.p < 0.05) == outside


def test_few_starts_are_left_to_the_bootstrap() -> None:
    rng = np.random.default_rng(5)
    few = starts(rng, 10, 7, 0.0)
    many = starts(rng, 10, 8, 0.0)
    assert ratios.between(few, many) != ranks.ratio(few, many)
    assert ratios.between(many, many) == ranks.ratio(many, many)


def five_per_cent(seed: int) -> dict[str, str]:
    costs = {"null": 6.5, "c-uv": 7.4, "waitress": 165.0}
    a = synthetic.race(costs, seed=seed, starts=10, **DISTURBED)
    costs["c-uv"] *= 1.05
    b = synthetic.race(costs, seed=seed + 500, starts=10, **DISTURBED)
    found = comparison.compare(a, b, metrics=["server_cpu_us_quiet"])
    return {one.cell.split(" on ")[0]: one.verdict for one in found.results}


def test_five_per_cent_mostly_show_on_a_disturbed_machine() -> None:
    """The standard profile's starts, half of them disturbed."""
    runs = [five_per_cent(seed) for seed in range(20)]
    slower = [one["c-uv"] for one in runs].count(comparison.SLOWER)
    assert slower >= 16
    others = [one[name] for one in runs for name in ("null", "waitress")]
    assert others.count(comparison.SLOWER) <= 2
    assert others.count(comparison.FASTER) <= 2


def test_false_alarms_on_a_disturbed_machine_are_rare() -> None:
    """A run against another of the same; any of nine may raise one."""
    costs = {"null": 6.5, "c-uv": 7.4, "waitress": 165.0}
    alarms = 0
    for seed in range(40):
        a = synthetic.race(costs, seed=1000 + seed, starts=10, **DISTURBED)
        b = synthetic.race(costs, seed=5000 + seed, starts=10, **DISTURBED)
        found = comparison.compare(a, b, margin=0.0)
        alarms += any(
            one.verdict in (comparison.FASTER, comparison.SLOWER)
            for one in found.results
        )
    assert alarms <= 2


def windows(ok: Array, cpu_us: Array) -> Windows:
    count = len(ok)
    return Windows(np.arange(count) / 10, np.full(count, 0.1), ok, cpu_us)


def test_the_quiet_cost_is_that_of_undisturbed_windows() -> None:
    ok = np.full(40, 1000.0)
    cost = np.full(40, 7.0)
    cost[5:33] = 9.5
    found = windows(ok, ok * cost)
    assert found.series("server_cpu_us_quiet").value == pytest.approx(7.0)
    assert found.series("server_cpu_us").value > 8.5


def test_windows_with_few_requests_are_put_together() -> None:
    """One request every other window, and CPU in both."""
    ok = np.tile([1.0, 0.0], 2000)
    used = np.tile([600.0, 100.0], 2000)
    found = windows(ok, used).series("server_cpu_us_quiet")
    assert found.value == pytest.approx(700.0)
    few = windows(ok[:100], used[:100])
    assert few.series("server_cpu_us_quiet").value == pytest.approx(700.0)


def test_a_start_has_one_quiet_cost() -> None:
    record = synthetic.race({"c-uv": 6.0}, seed=1, starts=3)
    found = samples.of_cell(record["cells"][0], "server_cpu_us_quiet")
    assert [len(one.above) for one in found] == [1, 1, 1]
