"""Which requests a percentile is of: all that were answered, or failed, after
the warm-up; of a route, those of them that asked for it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.stats import synthetic
from wsgibench.harness.checking import checked
from wsgibench.load.hdr import Histogram
from wsgibench.reports import _application, html
from wsgibench.stats import answers, summary
from wsgibench.verdicts import INVALID, NUMBERS, doubt

MS = 1_000_000
OPEN = {"rate": 1000.0, "warmup": 1.0}


def same(ms: int, count: int) -> str:
    return Histogram.of([ms * MS] * count).encode()


def start(block: int = 0, *, warm_ms: int = 1) -> dict[str, Any]:
    """1,000 requests/s for four seconds, of 1 ms; those of the first second
    of `warm_ms`. All ask for the one route."""
    made = synthetic.start(
        np.full(40, 100), np.full(40, 50_000.0), block=block
    )
    load = made["load"]
    whole = Histogram()
    for at, window in enumerate(load["windows"]):
        text = same(warm_ms if at < 10 else 1, 100)
        window["service"] = window["response"] = text
        window["routes"] = {"home": {"classes": {"ok": 100}, "response": text}}
        whole.add(Histogram.decode(text))
    load["drain"] = {"failed": 0, "routes": {}}
    load["routes"] = {
        "home": {
            "classes": {"ok": 4000},
            "response": {"hdr": whole.encode()},
            "censored": {"count": 0, "hdr": Histogram().encode()},
        }
    }
    return made


def row(*starts: dict[str, Any], **load: Any) -> dict[str, Any]:
    cell = synthetic.cell("c-uv", list(starts), load={**OPEN, **load})
    return summary.row(cell)


@pytest.mark.parametrize("rate", [1000.0, 0.0])
def test_answers_of_the_drain_are_in_the_percentiles(rate: float) -> None:
    """A stall at the end: 40 of 3,000 requests that were due are answered 1
    to 40 ms after the load."""
    made = start()
    assert row(made, rate=rate)["p99_ns"] == pytest.approx(MS, rel=1e-3)
    late = Histogram.of([ms * MS for ms in range(1, 41)]).encode()
    made["load"]["drain"].update(service=late, response=late)
    found = row(made, rate=rate)
    # Of 3,040, 30 lie beyond it: those of 11 to 40 ms.
    assert found["p99_ns"] == pytest.approx(10 * MS, rel=1e-3)
    assert found["p50_ns"] == pytest.approx(MS, rel=1e-3)


def failed(made: dict[str, Any], at: int, times: list[int]) -> None:
    """In this window, each after so many ms."""
    load = made["load"]
    told = load["censored"]
    whole = Histogram.decode(told["hdr"])
    whole.add(Histogram.of([ms * MS for ms in times]))
    load["censored"] = {"count": whole.count, "hdr": whole.encode()}
    load["routes"]["home"]["censored"] = load["censored"]
    load["windows"][at]["failed"] += len(times)
    classes = load["windows"][at]["routes"]["home"]["classes"]
    classes["timeout"] = classes.get("timeout", 0) + len(times)
    classes = load["routes"]["home"]["classes"]
    classes["timeout"] = whole.count


def test_failures_of_the_warm_up_are_left_out() -> None:
    made = start()
    failed(made, 3, [500] * 100)
    assert row(made)["p99_ns"] == pytest.approx(MS, rel=1e-3)
    assert times_of_the_route(made) == ["1", "1", "3000", "100"]


def test_failures_after_it_are_in_the_tail_with_the_longest_times() -> None:
    made = start()
    failed(made, 3, [500] * 100)
    failed(made, 20, [900] * 60)
    found = row(made)
    assert found["p99_ns"] == pytest.approx(900 * MS, rel=1e-3)
    # 60 of 3,060 and no more: they begin at 98.04 %.
    kept = answers.entry(synthetic.cell("c-uv", [made], load=OPEN)).times
    assert kept.count == 3060
    assert kept.quantile(0.98) == pytest.approx(MS, rel=1e-3)
    assert times_of_the_route(made) == ["1", "900", "3060", "160"]


# -- routes


def record(*starts: dict[str, Any]) -> dict[str, Any]:
    made = synthetic.record(
        [synthetic.cell("c-uv", list(starts), load=dict(OPEN))]
    )
    made["application"] = {"target": "app:app", "routes": {"home": 1.0}}
    return made


def times_of_the_route(*starts: dict[str, Any]) -> list[str]:
    made = record(*starts)
    (route,) = _application.routes(made, answers.entries(made))
    ((_, _, *numbers),) = route.table[1]
    return numbers


def test_the_only_route_has_the_numbers_of_its_row() -> None:
    starts = [start(block, warm_ms=50) for block in range(2)]
    found = row(*starts)
    assert found["p50_ns"] == found["p99_ns"]
    assert times_of_the_route(*starts) == ["1", "1", "6000", "0"]


def test_disturbed_starts_are_in_no_time_of_a_route() -> None:
    slow = start(2, warm_ms=50)
    for window in slow["load"]["windows"]:
        window["routes"]["home"]["response"] = same(80, 100)
    slow["yardstick"] = [{"cpu": 0, "now_us": 1300.0, "usual_us": 1000.0}]
    starts = [start(0), start(1), slow]
    assert times_of_the_route(*starts) == ["1", "1", "6000", "0"]


def test_times_that_are_no_measurement_are_in_brackets() -> None:
    made = start()
    made["load"]["doubts"] = [
        doubt("wrong-answers", INVALID, NUMBERS, "9 wrong bodies", "")
    ]
    assert times_of_the_route(made)[:2] == ["(1)", "(1)"]


def test_what_the_end_of_the_load_finds_under_way_is_no_failure() -> None:
    made = start()
    made["load"]["routes"]["home"]["classes"]["in_flight"] = 7
    assert times_of_the_route(made)[-1] == "0"


def test_a_record_that_did_not_keep_the_times_says_so() -> None:
    old = start()
    failed(old, 20, [900] * 60)
    del old["load"]["routes"]["home"]["censored"]
    assert times_of_the_route(old)[:3] == ["not kept"] * 3
    assert "not kept" in html.render(record(old))
    older = start()
    for window in older["load"]["windows"]:
        del window["routes"]
    assert times_of_the_route(older)[:3] == ["not kept"] * 3


def test_without_failures_an_older_record_tells_all() -> None:
    old = start(warm_ms=50)
    del old["load"]["routes"]["home"]["censored"]
    assert times_of_the_route(old) == ["1", "1", "3000", "0"]


@pytest.mark.parametrize(
    ("name", "value"),
    [("response", 1), ("failed", "many"), ("routes", {"home": {}})],
)
def test_what_is_read_of_a_window_is_checked(name: str, value: Any) -> None:
    made = synthetic.record([synthetic.cell("c-uv", [start()])])
    checked(made)
    made["cells"][0]["starts"][0]["load"]["windows"][0][name] = value
    with pytest.raises(ValueError, match=name):
        checked(made)
