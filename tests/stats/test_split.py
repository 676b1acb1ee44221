"""Whose time it is, what it costs, and the answer, from known numbers."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from tests.stats import synthetic
from wsgibench.reports import _application, _pictures
from wsgibench.stats import answers, choice, cost, split


def with_baseline(
    made: dict[str, Any], own_us: float, system: float = 0.0
) -> dict[str, Any]:
    """The application alone takes `own_us` in every block."""
    python = made["cells"][0]["python"]
    starts = {s["start"] for cell in made["cells"] for s in cell["starts"]}
    made["baselines"] = [
        {
            "python": python,
            "remarks": [],
            "stable": 1.0,
            "checked_under_load": {"body": 1.0, "length": 0, "status": 0},
            "starts": [
                {
                    "start": number,
                    "calls": 1000,
                    "cpu_ns": round(own_us * 1e6),
                    "wall_ns": round(own_us * 3e6),
                    "user_ns": round(own_us * 1e6 * (1 - system)),
                    "system_ns": round(own_us * 1e6 * system),
                    "routes": {"GET /": [1000, round(own_us * 1e6), 1]},
                    "parts": [],
                }
                for number in sorted(starts)
            ],
        }
    ]
    made["application"] = {"routes": {"GET /": 1.0}}
    return made


def test_the_parts_of_a_request() -> None:
    made = synthetic.race({"c-uv": 100.0, "other": 200.0}, seed=1, starts=5)
    with_baseline(made, 90.0)
    for cell in made["cells"]:
        for start in cell["starts"]:
            for sample in start["usage"]:
                sample["system_ns"] = sample["cpu_ns"] // 20  # 5 %
    found = split.of_cell(made, made["cells"][0])
    assert found is not None
    assert found.application.estimate == pytest.approx(90)
    assert found.share.estimate == pytest.approx(0.9, rel=0.05)
    assert found.share.low < found.share.estimate < found.share.high
    assert found.kernel.estimate == pytest.approx(5, rel=0.1)
    assert found.waiting.estimate == pytest.approx(180)
    total = sum(part.estimate for _, part in found.parts)
    assert total == pytest.approx(100, rel=0.05)
    assert split.routes(made, made["cells"][0]["python"]) == {
        "GET /": pytest.approx(90)
    }


def test_the_system_calls_of_the_application_are_its_own() -> None:
    made = with_baseline(
        synthetic.race({"c-uv": 100.0}, seed=1, starts=3), 80.0, system=0.5
    )
    for start in made["cells"][0]["starts"]:
        for sample in start["usage"]:
            sample["system_ns"] = sample["cpu_ns"] // 2
    found = split.of_cell(made, made["cells"][0])
    assert found is not None
    assert found.kernel.estimate == pytest.approx(10, rel=0.2)


@pytest.mark.parametrize(("slow", "own"), [(2, 90.0), (3, 117.0)])
def test_what_was_timed_on_a_slow_cpu_is_left_out(
    slow: int, own: float
) -> None:
    """As long as half of it is left; of five blocks, 1.5 times as dear."""
    made = synthetic.race({"c-uv": 200.0}, seed=1, starts=5)
    (alone,) = with_baseline(made, 90.0)["baselines"]
    for number, start in enumerate(alone["starts"]):
        part = 1.5 if number < slow else 1.0
        start["cpu_ns"] = round(start["cpu_ns"] * part)
        start["yardstick"] = [{"now_us": 400 * part, "usual_us": 400.0}]
    found = split.of_cell(made, made["cells"][0])
    assert found is not None
    assert found.application.estimate == pytest.approx(own)


def test_a_call_that_costs_more_than_the_request_tells_nothing() -> None:
    made = synthetic.race({"c-uv": 100.0}, seed=1, starts=5)
    found = split.of_cell(with_baseline(made, 101.0), made["cells"][0])
    assert found is not None
    assert found.told
    found = split.of_cell(with_baseline(made, 121.0), made["cells"][0])
    assert found is not None
    assert not found.told
    text = said(made)
    words = r"alone takes 2[0-9] % more CPU than a whole request to c-uv"
    assert re.search(words, text)
    assert "100 %" not in text
    entries = answers.entries(made)
    (row,) = _application.splits(made, entries)[1]
    assert row[3:5] == ["cannot tell", "cannot tell"]
    assert _pictures.whose_time(made, entries) is None


def test_without_a_baseline_there_is_no_split() -> None:
    made = synthetic.race({"c-uv": 100.0}, seed=1, starts=3)
    assert split.of_cell(made, made["cells"][0]) is None


def test_money() -> None:
    row = {"server_cpu_us": 3600.0, "goodput": 1000.0, "rss": 2.0**30}
    found = cost.of_row(row, {"starts": []}, cost.Prices(1.0, 2.0, 10.0))
    assert found is not None
    # A million of them is one vCPU-hour, and 1000 s of a GiB.
    assert found.million == pytest.approx(1.0 + 2.0 * 1000 / 3600)
    month = 730 * 3600 * 10 / 1e6 * 1.0 + 730 * 2.0
    assert found.month == pytest.approx(month)
    assert found.joules is None
    start = synthetic.start(np.full(40, 25), np.full(40, 9e4))
    start["energy_uj"] = 5_000_000  # of 1,000 requests
    cell = synthetic.cell("c-uv", [start])
    found = cost.of_row(row, cell, cost.Prices())
    assert found is not None
    assert found.joules == pytest.approx(5000)


def said(made: dict[str, Any]) -> str:
    entries = answers.entries(made)
    (one,) = choice.choices(made, entries)
    return "; ".join(choice.sentences(made, one))


def test_the_answer_leads_with_the_best_and_says_how_sure() -> None:
    made = synthetic.race(
        {"null": 5.0, "slow": 150.0, "quick": 100.0}, seed=2, starts=6
    )
    text = said(with_baseline(made, 80.0))
    assert text.startswith("quick on CPython")
    assert "the next, slow, takes 1.4" in text
    assert re.search(r"the application takes (78|79|80) %", text)
    assert "quick saves you 3" in text
    assert "a million requests cost $" in text


def test_who_cannot_be_told_apart_is_no_winner() -> None:
    made = synthetic.race({"a": 100.0, "b": 100.4}, seed=3, starts=3)
    (one,) = choice.choices(made, answers.entries(made))
    assert not one.is_clear
    text = said(made)
    assert "not to be told from it" in text
    assert "take the one that you like better" in text or "--starts" in text


def test_one_start_tells_nothing_apart_and_says_so() -> None:
    made = synthetic.race({"a": 7.0, "b": 150.0}, seed=3, starts=1)
    text = said(made)
    assert text.startswith("a on CPython")
    assert "one start each" in text
    assert "not to be told from it" not in text


def test_wrong_answers_never_lead() -> None:
    made = synthetic.race({"wrong": 50.0, "right": 100.0}, seed=4, starts=4)
    for start in made["cells"][0]["starts"]:
        start["load"]["doubts"] = [
            {
                "code": "wrong-answers",
                "level": "INVALID",
                "numbers": ["server_cpu_us", "goodput", "latency"],
                "what": "wrong answers: GET /: status 500, not 200",
                "remedy": "",
            }
        ]
    text = said(made)
    assert text.startswith("right on")
    assert "not ranked: wrong on" in text
    assert "GET /: status 500, not 200" in text
