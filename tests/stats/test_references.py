"""Two runs held against null, when null is no measurement of the machine."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.stats import synthetic
from wsgibench.stats import columns, comparison, summary
from wsgibench.verdicts import (
    GOODPUT,
    INVALID,
    LATENCY,
    NUMBERS,
    SUSPECT,
    Doubt,
    doubt,
)

FAILED = doubt("failures", INVALID, NUMBERS, "50 % failed", "mend it")
LIMITED = doubt(
    "client-limited", SUSPECT, (GOODPUT, LATENCY), "the client", "more"
)


def cell(
    name: str,
    rng: np.random.Generator,
    cost: float,
    takes: float,
    doubts: tuple[Doubt, ...] = (),
) -> dict[str, Any]:
    """`cost` us of CPU in a request that takes so many us."""
    starts = []
    for block in range(5):
        ok = np.full(20, round(1e5 / takes * np.exp(rng.normal(0, 0.003))))
        made = synthetic.start(ok, ok * cost, block=block)
        made["load"]["doubts"] = list(doubts)
        starts.append(made)
    return synthetic.cell(name, starts)


def run(
    seed: int,
    *,
    null: tuple[float, float],
    server: tuple[float, float] = (150.0, 200.0),
    doubts: tuple[Doubt, ...] = (),
) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    return synthetic.record(
        [cell("null", rng, *null, doubts), cell("a", rng, *server)]
    )


def results(
    a: dict[str, Any], b: dict[str, Any]
) -> dict[str, comparison.Result]:
    found = comparison.compare(a, b).results
    return {one.metric: one for one in found if one.cell.startswith("a ")}


def test_a_null_that_is_no_measurement_is_no_reference() -> None:
    """Half of null's requests failed in B, and cost twice as much."""
    a = run(1, null=(10.0, 12.0))
    b = run(2, null=(20.0, 30.0), doubts=(FAILED,))
    for one in results(a, b).values():
        assert not one.relative
        assert one.why_plain == "null of B is INVALID: 50 % failed"
        assert one.verdict == comparison.SAME
        assert one.ratio is not None
        assert one.ratio.estimate == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("only_b", [False, True])
def test_a_slower_client_is_no_faster_server(only_b: bool) -> None:
    """The client, which was the limit of null, was 8 % slower in B."""
    first = () if only_b else (LIMITED,)
    a = run(1, null=(6.0, 6.1), doubts=first)
    b = run(2, null=(6.0, 6.6), doubts=(LIMITED,))
    found = results(a, b)
    assert found["goodput"].verdict == comparison.SAME
    assert found["goodput"].relative


def test_a_slower_machine_shows_in_the_cpu_of_a_limited_null() -> None:
    """All took 10 % longer; the client had reserves for it."""
    a = run(1, null=(6.0, 6.1), doubts=(LIMITED,))
    b = run(2, null=(6.6, 6.1), server=(165, 220), doubts=(LIMITED,))
    for one in results(a, b).values():
        assert one.verdict == comparison.SAME, one


def test_a_load_that_waits_is_not_held_against_the_clients_null() -> None:
    a = run(1, null=(6.0, 6.1), doubts=(LIMITED,))
    b = run(2, null=(6.6, 6.6), doubts=(LIMITED,))
    for record in (a, b):
        for one in record["cells"]:
            one["load"]["think"] = [0.1, 0.1]
    found = results(a, b)
    assert found["goodput"].verdict == comparison.SAME
    assert found["goodput"].why_plain == "the client was the limit of null"
    assert found["server_cpu_us"].relative


@pytest.mark.parametrize(
    ("level", "text"), [(INVALID, "-"), (SUSPECT, "~15.00")]
)
def test_a_quotient_has_the_worse_verdict_of_its_two(
    level: str, text: str
) -> None:
    rough = doubt("so", level, NUMBERS, "so", "mend it")
    null, server = summary.rows(run(1, null=(10.0, 12.0), doubts=(rough,)))
    assert null["server"] == "null"
    assert columns.cell(server, "cpu_vs_null") == text
    assert columns.cell(server, "server_cpu_us") == "150.00"
