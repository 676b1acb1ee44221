"""What is held against a worker, by what it reported of its machine."""

from __future__ import annotations

from typing import Any

import pytest

from wsgibench.load import worker_doubts

WELL: dict[str, Any] = {
    "name": "w1",
    "lost": "",
    "missing": [],
    "errors": [],
    "wait_share": 0.049,
    "steal_share": 0.0099,
    "cpu_share": 0.79,
}


def test_nothing_against_a_worker_that_had_its_cpu() -> None:
    assert worker_doubts.find(WELL, is_open=True) == []


@pytest.mark.parametrize(
    ("seen", "level", "words"),
    [
        ({"wait_share": 0.06}, "SUSPECT", "waited 6 % of the time for a CPU"),
        ({"steal_share": 0.02}, "SUSPECT", "had 2.0 % of a CPU stolen"),
        ({"cpu_share": 0.9}, "SUSPECT", "was at its limit (90 % of its CPU)"),
        ({"missing": [(3.0, 7.0)]}, "SUSPECT", "was not heard of for 4 s"),
        ({"errors": ["no route"]}, "INVALID", "failed: no route"),
        ({"lost": "went away"}, "INVALID", "went away: what it had reported"),
    ],
)
def test_each_reason_names_the_worker_and_what_to_do(
    seen: dict[str, Any], level: str, words: str
) -> None:
    (found,) = worker_doubts.find({**WELL, **seen}, is_open=True)
    assert found["level"] == level
    assert found["what"].startswith("worker w1 " + words)
    assert found["remedy"]


def test_in_a_closed_loop_others_went_on_when_one_was_lost() -> None:
    (found,) = worker_doubts.find({**WELL, "lost": "went away"}, is_open=False)
    assert found["level"] == "SUSPECT"
