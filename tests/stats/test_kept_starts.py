"""Every number of a row is of the same starts: those that the machine left
alone. What went wrong counts in all of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.stats import synthetic
from wsgibench.load.hdr import place_of
from wsgibench.stats import answers, cost, summary
from wsgibench.verdicts import (
    GOODPUT,
    INVALID,
    LATENCY,
    NUMBERS,
    SUSPECT,
    Doubt,
    doubt,
)

MS = 1_000_000
LIMITED = doubt(
    "client-limited", SUSPECT, (GOODPUT, LATENCY), "the client was it", ""
)
WRONG = doubt("wrong-answers", INVALID, NUMBERS, "2 wrong bodies", "mend it")


def start(
    block: int, ms: int = 1, *doubts: Doubt, rss: int = 10
) -> dict[str, Any]:
    """5,000 requests/s of 100 us in four seconds, all of which took so
    long."""
    made = synthetic.start(
        np.full(40, 500),
        np.full(40, 50_000.0),
        block=block,
        service={place_of(ms * MS): 20_000},
    )
    made["load"]["doubts"] = list(doubts)
    for one in made["usage"]:
        one["rss"] = rss << 20
    made["energy_uj"] = 2e6
    return made


def disturbed(ms: int = 300, *doubts: Doubt) -> dict[str, Any]:
    """On a CPU that was 30 % slower than usual."""
    made = start(2, ms, *doubts, rss=500)
    made["yardstick"] = [{"cpu": 0, "now_us": 1300.0, "usual_us": 1000.0}]
    made["load"]["client_cpu_share"] = 0.9
    made["energy_uj"] = 9e9
    ramp = np.r_[np.full(20, 2e6), np.full(20, 4e6)]
    for one, used in zip(made["usage"][1:], np.cumsum(ramp)):
        one["cpu_ns"] = float(used)
    return made


def test_percentiles_are_of_the_starts_that_the_cpu_is_of() -> None:
    calm = [start(0), start(1)]
    alone = summary.row(synthetic.cell("c-uv", calm))
    row = summary.row(synthetic.cell("c-uv", [*calm, disturbed()]))
    assert row["starts"] == 2
    for name in ("server_cpu_us", "p50_ns", "p99_ns", "p99.9_ns"):
        assert row[name] == alone[name]
    assert row["p99_ns"] == pytest.approx(1 * MS, rel=1e-3)
    assert row["rss"] == 10 << 20
    assert row["client_cpu_share"] == 0.3


def test_the_page_and_the_price_are_of_them_too() -> None:
    cell = synthetic.cell("c-uv", [start(0), start(1), disturbed()])
    one = answers.entry(cell)
    assert one.times.count == 40_000
    assert len(one.courses) == 2
    assert one.row["label"] == "flat"  # the third would make it inconsistent
    priced = cost.of_row(one.row, cell, cost.Prices())
    assert priced is not None
    # 2 J for each of two starts with 20,000 requests.
    assert priced.joules == pytest.approx(1e6 * 4 / 40_000)


def test_where_all_are_disturbed_all_numbers_are_of_all() -> None:
    cell = synthetic.cell("c-uv", [start(0), disturbed(50)])
    cell["starts"][0]["yardstick"] = disturbed()["yardstick"]
    row = summary.row(cell)
    assert row["starts"] == 2
    assert row["p99_ns"] == pytest.approx(50 * MS, rel=1e-3)
    assert [one["code"] for one in row["doubts"]] == ["machine-busy"]


def test_what_qualifies_a_number_is_of_its_starts() -> None:
    """Of one of four it is not, but of one of the two that are left."""
    few = [start(0, 1, LIMITED), start(1), disturbed()]
    assert summary.row(synthetic.cell("c-uv", few))["client_limited"]
    only_there = [start(0), start(1), disturbed(300, LIMITED)]
    assert not summary.row(synthetic.cell("c-uv", only_there))["doubts"]


def test_a_disturbed_start_that_answers_wrongly_has_done_so() -> None:
    wrong = disturbed(300, WRONG)
    wrong["load"]["classes"].update(ok=19_998, bad_body=2)
    row = summary.row(synthetic.cell("c-uv", [start(0), start(1), wrong]))
    assert set(row["verdicts"].values()) == {"INVALID"}
    assert (row["wrong_bodies"], row["failed"]) == (2, 2)


def test_a_start_without_an_answer_is_not_passed_over() -> None:
    """Of three, one says nothing once it is measured: the mean of the other
    two is no number of the server."""
    silent = start(2)
    for window in silent["load"]["windows"][10:]:
        window["ok"] = 0
    cell = synthetic.cell(
        "c-uv", [start(0), start(1), silent], load={"warmup": 1.0}
    )
    (why,) = summary.row(cell)["doubts"]
    assert (why["code"], why["level"]) == ("unanswered", INVALID)
    assert why["what"] == (
        "in 1 of 3 starts nothing was answered within the measured time"
    )
