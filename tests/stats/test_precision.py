"""A run that ends once it is precise enough is as sure as any other."""

from __future__ import annotations

import numpy as np

from wsgibench.stats import bootstrap, pilot
from wsgibench.stats.samples import Series

RUNS = 500
MOST = 30  # starts


def ended(rng: np.random.Generator, spread: float) -> list[Series]:
    """The starts of a run with --precision 2; the truth is 1."""
    starts: list[Series] = []
    while len(starts) < MOST and not pilot.known_to(starts, 0.02):
        value = np.exp(spread * rng.standard_normal(1))
        starts.append(Series(value, np.ones(1)))
    return starts


def test_the_interval_at_the_end_holds_the_truth() -> None:
    held = [
        found.low <= 1 <= found.high
        for rng in [np.random.default_rng(1)]
        for spread in (0.02, 0.03, 0.04)
        for _ in range(RUNS)
        for found in [bootstrap.mean(ended(rng, spread))]
    ]
    assert 0.93 <= np.mean(held) <= 0.97
