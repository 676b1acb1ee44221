"""Courses over records whose truth is known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from tests.counting import test_comparison as counting
from tests.stats import synthetic
from wsgibench.reports import _history
from wsgibench.stats import history
from wsgibench.stats.history import Course
from wsgibench.verdicts import GOODPUT, LATENCY, SUSPECT, doubt

TRIALS = 200


def timed(
    costs: Sequence[float], cpus: Sequence[str] = (), limited: str = ""
) -> dict[str, Course]:
    """The courses of records of one start each, by number. `limited`: a
    letter each, "x" where the client was the limit."""
    made = []
    for number, cost in enumerate(costs):
        one = synthetic.start([80_000 / cost] * 40, [80_000.0] * 40)
        if limited[number : number + 1] == "x":
            one["load"]["doubts"] = [
                doubt("client-limited", SUSPECT, (GOODPUT, LATENCY), "", "")
            ]
        record = synthetic.record([synthetic.cell("c-uv", [one])])
        record["created"] = "2026-01-%02d" % (number + 1)
        record["machine"]["cpu"] = cpus[number] if cpus else "Xeon"
        made.append(record)
    found = history.courses(made)
    return {"%s %s" % (one.machine[:4], one.number): one for one in found}


def counted(cpus: Sequence[str]) -> list[Course]:
    made = []
    for number, cpu in enumerate(cpus):
        record = counting.record(counting.cell(44_000, seed=number))
        record["created"] = "2026-01-%02d" % (number + 1)
        record["machine"] = {"cpu": cpu, "kernel": "%d" % number}
        made.append(record)
    return history.courses(made)


COSTS = [10.0, 10.1, 9.9, 10.0, 10.1, 13.0, 13.1, 12.9, 13.0, 13.1]


def test_each_machine_has_a_course_of_its_own() -> None:
    found = timed(COSTS, ["Xeon"] * 5 + ["Atom"] * 5)
    assert set(found) == {
        *("Xeon server_cpu_us", "Atom server_cpu_us"),
        *("Xeon goodput", "Atom goodput"),
    }
    assert all(one.changes == () for one in found.values())
    said = _history.table(list(found.values()))
    assert "Xeon, 2 CPUs, none" in said
    assert "Atom, 2 CPUs, none" in said


def test_one_machine_has_the_change() -> None:
    found = timed(COSTS)
    assert found["Xeon server_cpu_us"].changes == (5,)
    assert "machine" not in _history.table(list(found.values()))


def test_what_is_counted_goes_on_from_kernel_to_kernel() -> None:
    """But not from CPU to CPU: libraries choose instructions by it."""
    found = counted(["Xeon"] * 3 + ["Atom"] * 3)
    assert len(found) == 4
    assert all(len(one.points) == 3 for one in found)


def test_lower_bounds_of_requests_are_no_points() -> None:
    found = timed([10.0] * 8, limited="---xx-x-")
    assert len(found["Xeon goodput"].points) == 5
    assert len(found["Xeon server_cpu_us"].points) == 8
    assert "Xeon goodput" not in timed([10.0] * 8, limited="x" * 8)


@pytest.mark.parametrize(
    ("number", "before", "after", "is_change"),
    [
        ("server_cpu_us", 100.0, 102.9, False),
        ("server_cpu_us", 100.0, 103.5, True),
        ("goodput", 5000.0, 4860.0, False),
        ("goodput", 5000.0, 4800.0, True),
        ("instructions", 50_000.0, 50_200.0, False),
        ("instructions", 50_000.0, 50_300.0, True),
        ("calls", 2.0, 2.015, False),
        ("calls", 2.0, 2.03, True),
    ],
)
def test_a_change_has_the_least_size_of_the_gate(
    number: str, before: float, after: float, is_change: bool
) -> None:
    row = np.array([before] * 10 + [after] * 10)
    row *= 1 + np.random.default_rng(1).normal(0, 1e-4, 20)
    assert history._changes(row, number) == ((10,) if is_change else ())


def test_small_steps_one_way_are_a_change() -> None:
    row = np.repeat([100.0, 102.0, 104.0, 106.0], 8)
    row += np.random.default_rng(1).normal(0, 0.1, 32)
    assert len(history._changes(row, "server_cpu_us")) == 1


Rows = Callable[[np.random.Generator, int], Any]


def equal_but_some(share: float, size: float) -> Rows:
    """Counts of which a share is `size` higher."""
    return lambda rng, count: 3 + size * (rng.random(count) < share)


def alike(spread: float) -> Rows:
    """Neighbours alike, by an autoregression of 0.5."""

    def made(rng: np.random.Generator, count: int) -> Any:
        row = rng.normal(size=count)
        for i in range(1, count):
            row[i] = 0.5 * row[i - 1] + np.sqrt(0.75) * row[i]
        return 100 * (1 + spread * row)

    return made


@pytest.mark.parametrize("count", [6, 12, 20, 40])
@pytest.mark.parametrize(
    ("number", "rows", "most"),
    [
        ("calls", equal_but_some(0.3, 0.001), 0.0),
        ("calls", equal_but_some(0.3, 1.0), 0.2),
        ("server_cpu_us", lambda r, n: 100 * (1 + r.normal(0, 0.02, n)), 0.03),
        ("server_cpu_us", alike(0.01), 0.01),
        # What docs/gate.md says of a machine that drifts.
        ("server_cpu_us", alike(0.02), 0.25),
    ],
)
def test_courses_without_a_change(
    number: str, rows: Rows, most: float, count: int
) -> None:
    rng = np.random.default_rng(2)
    false = sum(
        bool(history._changes(rows(rng, count), number)) for _ in range(TRIALS)
    )
    assert false / TRIALS <= most


def test_a_change_of_counts_that_are_mostly_equal_is_found() -> None:
    rng = np.random.default_rng(3)
    rows = equal_but_some(0.15, 0.1)
    step = np.arange(20) >= 10
    found = [
        history._changes(rows(rng, 20) + step, "calls") for _ in range(TRIALS)
    ]
    assert found.count((10,)) / TRIALS >= 0.9
