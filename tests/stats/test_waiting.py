"""What is waited, on machines and with clients that differ. Seeded."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.stats import synthetic
from wsgibench.stats import comparison, noise, waiting


def cell(
    name: str,
    rng: np.random.Generator,
    cost: float,
    wait: float,
    connections: int = 64,
) -> dict[str, Any]:
    """Its CPU differs by 6 % from start to start, what it waits by 1 %."""
    starts = []
    for block in range(5):
        own = cost * np.exp(rng.normal(0, 0.06))
        takes = own + wait * np.exp(rng.normal(0, 0.01))
        ok = np.full(40, round(1e6 / takes))
        made = synthetic.start(ok, ok * own, block=block)
        made["load"]["windows"] = [
            {**one, "start_ns": i * 10**9, "end_ns": (i + 1) * 10**9}
            for i, one in enumerate(made["load"]["windows"])
        ]
        for i, one in enumerate(made["usage"]):
            one["time_ns"] = made["load"]["start_ns"] + i * 10**9
        starts.append(made)
    asked = {"connections": connections, "duration": 40.0}
    return synthetic.cell(name, starts, load=asked)


def run(
    seed: int,
    *,
    slower: float = 1.0,
    wait: float = 35.0,
    connections: int = 64,
    aa: float | None = None,
) -> dict[str, Any]:
    """On a machine that takes `slower` times as long; `wait` is by the
    clock."""
    rng = np.random.default_rng(seed)
    cells = [
        cell("null", rng, 8 * slower, 1 * slower, connections),
        cell("a", rng, 60 * slower, wait, connections),
    ]
    if aa is not None:
        again = cell("a", rng, 60 * slower, aa, connections)
        cells.append({**again, "aa": True})
    return synthetic.record(cells)


def told(a: dict[str, Any], b: dict[str, Any]) -> comparison.Result:
    found = comparison.compare(a, b, metrics=["goodput"]).results
    (one,) = [each for each in found if each.cell.startswith("a ")]
    return one


TRIALS = 12


def of_waiting(**b: Any) -> int:
    """How often of TRIALS the reason was what B waits."""
    found = [told(run(2 * n), run(2 * n + 1, **b)) for n in range(TRIALS)]
    return sum("it waits" in one.reason for one in found)


def test_what_is_waited_longer_is_told() -> None:
    """11 us more of 95. Where requests/s tell by themselves, or point the
    other way, waiting is not the reason."""
    one = told(run(2), run(3, wait=46.0))
    assert one.verdict == comparison.SLOWER
    assert of_waiting(wait=46.0) >= TRIALS / 3


@pytest.mark.parametrize(
    ("slower", "wait"),
    [
        (1.15, 35 * 1.15),  # a lock, another process: it goes with the machine
        (1.15, 35.0),  # a sleep does not
        (0.85, 35 * 0.85),
        (0.85, 35.0),
    ],
)
def test_another_machine_is_no_waiting(slower: float, wait: float) -> None:
    assert of_waiting(slower=slower, wait=wait) == 0


def test_with_few_connections_the_client_is_what_is_waited_for() -> None:
    """The client took 15 % longer; null's CPU, the server's, is as it was."""
    for connections, known in ((1, False), (4, False), (64, True)):
        a = run(1, connections=connections)["cells"][1]
        b = run(2, connections=connections, wait=40.0)["cells"][1]
        assert bool(waiting.of_cell(a)) == known
        assert (waiting.between(a, b) is not None) == known


def test_twice_what_the_same_server_differed_by_is_noise() -> None:
    """7 us more, where the A/A pair was 4 us apart."""
    record = run(2, aa=39.0)
    (pair,) = noise.pairs(record)
    apart = waiting.between(*pair)
    assert apart is not None
    limit = waiting.limit(0.03, [apart])
    assert limit == pytest.approx(0.08, abs=0.02)
    assert waiting.limit(0.03, [None]) == 0.03
    b = run(3, wait=42.0)
    waits = waiting.between(record["cells"][1], b["cells"][1])
    assert waits is not None
    assert waits.more == pytest.approx(7, abs=1)
    said = [
        comparison.decide(waits.speed, waits.speed.p, most)[0]
        for most in (0.03, limit)
    ]
    assert said == [comparison.SLOWER, comparison.SAME]
