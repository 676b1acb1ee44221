"""Processes of one load that did not begin together."""

from __future__ import annotations

from typing import Any

import pytest

from wsgibench.load import doubts, processes
from wsgibench.load.spec import LoadSpec
from wsgibench.verdicts import NUMBERS, SUSPECT

RESULT: dict[str, Any] = {
    "classes": {"ok": 1000, "bad_body": 0, "in_flight": 0, "unsent": 0},
    "scheduled": 1000,
    "goodput": 1000.0,
    "duration_s": 1.0,
    "error": "",
    "interrupted": False,
    "client_cpu_share": 0.1,
    "lag": {"p99_ns": 0},
    "connections": {
        **{"asked": 2, "ever_answered": 2, "open_at_once": 2},
        **{"stray": 0, "answers": 1000},
    },
}


@pytest.mark.parametrize(
    ("late_ns", "words"),
    [
        (0, []),
        (50_000_000, []),
        (120_000_000, ["its processes began 0.12 s apart"]),
        (1_500_000_000, ["its processes began 1.5 s apart"]),
    ],
)
def test_a_process_that_comes_up_late_is_told(
    late_ns: int, words: list[str]
) -> None:
    results = [{"start_ns": 7_000_000_000 + late} for late in (0, late_ns, 5)]
    spread = processes.start_spread_ns(results)
    assert spread == max(late_ns, 5)
    spec = LoadSpec(url="http://127.0.0.1/", rate=1000.0, processes=3)
    found = doubts.of_run({**RESULT, "start_spread_ns": spread}, spec)
    assert [one["what"] for one in found] == words
    for one in found:
        assert one["code"] == "spread-start"
        assert one["level"] == SUSPECT
        assert set(one["numbers"]) == set(NUMBERS)
