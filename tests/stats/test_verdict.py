"""Each reason to doubt a cell, planted in one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.stats import synthetic
from wsgibench.load.hdr import Histogram, place_of
from wsgibench.stats import columns, histogram, samples, stall, summary
from wsgibench.verdicts import INVALID, NUMBERS, SUSPECT, Doubt, doubt


def one_row(*starts: dict[str, Any], **more: Any) -> dict[str, Any]:
    cell = synthetic.cell("c-uv", list(starts), **more)
    return summary.rows(synthetic.record([cell]))[0]


def steady(**more: Any) -> dict[str, Any]:
    """10 us a request, a CPU at 90 %."""
    noise = 1 + np.random.default_rng(1).normal(0, 0.01, 40)
    return synthetic.start(9000 * noise, np.full(40, 90_000.0), **more)


def cluster(low: int, high: int, count: int = 5000) -> dict[int, int]:
    """Evenly between two times (ms)."""
    times = np.linspace(low * 1e6, high * 1e6, count, endpoint=False)
    found: dict[int, int] = {}
    for time in times:
        place = place_of(int(time))
        found[place] = found.get(place, 0) + 1
    return found


def times(places: dict[int, int]) -> Histogram:
    found = Histogram()
    found.places = places
    return found


def test_a_steady_cell_is_valid() -> None:
    row = one_row(steady())
    assert (row["verdict"], row["label"]) == ("VALID", "flat")
    assert row["server_cpu_us"] == pytest.approx(10, rel=0.01)
    assert row["goodput"] == pytest.approx(90_000, rel=0.01)
    assert row["server_cpu_share"] == pytest.approx(0.9)


def limited(share: float) -> Doubt:
    words = "the client was the limit (%.0f %% of its CPU)" % (100 * share)
    numbers = ("goodput", "latency")
    return doubt("client-limited", SUSPECT, numbers, words, "a second one")


def spoilt(what: str) -> Doubt:
    return doubt("wrong-answers", INVALID, NUMBERS, what, "mend it")


def test_a_client_at_its_limit_bounds_the_rate_alone() -> None:
    start = steady(client_share=0.97)
    start["load"]["doubts"] = [limited(0.97)]
    row = one_row(start)
    assert row["client_limited"]
    assert row["verdicts"] == {
        "server_cpu_us": "VALID",
        "goodput": "SUSPECT",
        "latency": "SUSPECT",
    }
    assert row["verdict"] == "VALID"  # of the leading number
    assert columns.cell(row, "goodput").startswith(">=89")
    assert columns.cell(row, "server_cpu_us") == "10.00"
    assert columns.cell(row, "verdict") == "client-limited"


def test_what_the_generator_saw_is_kept() -> None:
    start = steady()
    start["load"]["doubts"] = [spoilt("3 wrong bodies")]
    row = one_row(start)
    assert set(row["verdicts"].values()) == {"INVALID"}
    assert row["reasons"] == ["3 wrong bodies; mend it"]
    assert columns.cell(row, "goodput").startswith("(")
    assert columns.cell(row, "verdict") == "INVALID: wrong-answers"


def test_what_several_starts_say_is_said_once() -> None:
    starts = [steady() for _ in range(4)]
    said = [
        [spoilt("5 wrong bodies"), limited(0.985)],
        [spoilt("17 wrong bodies"), limited(0.9)],
        [spoilt("5 wrong bodies")],
        [],
    ]
    for one, doubts in zip(starts, said):
        one["load"]["doubts"] = doubts
    row = one_row(*starts)
    assert [one["what"] for one in row["doubts"]] == [
        "5 to 17 wrong bodies",
        "the client was the limit (90 to 98 % of its CPU)",
    ]


def test_one_start_of_three_qualifies_no_number() -> None:
    """Their mean is not bounded by a client that was short once."""
    starts = [steady() for _ in range(3)]
    starts[1]["load"]["doubts"] = [limited(0.81)]
    assert one_row(*starts)["doubts"] == []
    starts[2]["load"]["doubts"] = [limited(0.81)]
    assert one_row(*starts)["client_limited"]


def test_reasons_below_a_table_name_their_rows_once() -> None:
    cells = []
    for name, share in (("c-uv", 0.9), ("null", 0.99)):
        start = steady()
        start["load"]["doubts"] = [limited(share)]
        cells.append(synthetic.cell(name, [start]))
    record = synthetic.record(cells)
    legend, line = columns.notes(record, summary.rows(record))
    assert legend == columns.LEGEND
    assert line == (
        "client-limited (c-uv, null on CPython 3.11.7): requests/s, latency: "
        "the client was the limit (90 to 99 % of its CPU); a second one"
    )


def test_fewer_requests_than_asked_is_said() -> None:
    asked = {"requests": 1_000_000, "discard": 30_000}
    row = one_row(steady(), load=asked)  # 360,000 were made
    assert columns.codes(row) == "fewer-requests"
    assert "of 1000000 requests were made" in row["reasons"][0]
    assert row["verdicts"]["goodput"] == "SUSPECT"
    assert row["verdicts"]["server_cpu_us"] == "VALID"
    assert one_row(steady(), load={"requests": 300_000})["doubts"] == []


def test_drops_of_its_own_listener_are_of_the_rates() -> None:
    start = {**steady(), "listener_drops": 3}
    start["load"]["connections"]["resent"] = 3
    row = one_row(start)
    assert columns.codes(row) == "listen-drops"
    assert row["verdicts"]["server_cpu_us"] == "VALID"
    assert row["verdicts"]["latency"] == "SUSPECT"
    start["load"]["connections"]["resent"] = 0  # deferred, not dropped
    assert one_row(start)["doubts"] == []


def test_a_cell_without_starts_is_invalid() -> None:
    cell = synthetic.cell("c-uv", [])
    row = summary.rows(synthetic.record([cell]))[0]
    assert row["verdict"] == "INVALID"
    assert row["doubts"][0]["what"] == "no start of it gave a result"


def test_stall_of_an_idle_server_is_named() -> None:
    row = one_row(
        synthetic.start(
            np.full(40, 156), np.full(40, 1500.0), service=cluster(40, 44)
        )
    )
    assert row["verdicts"]["latency"] == "VALID"  # it is what clients get
    assert "delayed-acknowledgement stall" in row["reasons"][0]


@pytest.mark.parametrize(("count", "is_few"), [(999, True), (1001, False)])
def test_few_answers_tell_no_p99(count: int, is_few: bool) -> None:
    row = one_row(
        synthetic.start(
            np.full(40, 156),
            np.full(40, 1500.0),
            service=cluster(5, 9, count),
        )
    )
    assert ("p99_ns" in row) != is_few
    assert ("few" in [one["code"] for one in row["doubts"]]) == is_few
    assert row["verdicts"]["latency"] == "VALID"


@pytest.mark.parametrize(
    ("low", "high", "cpu_share"),
    [(40, 44, 0.95), (20, 60, 0.1), (1, 3, 0.1), (60, 70, 0.1)],
)
def test_queues_and_other_times_are_no_stall(
    low: int, high: int, cpu_share: float
) -> None:
    assert not stall.delayed_ack(times(cluster(low, high)), cpu_share)


def test_measured_while_warming_up() -> None:
    noise = 1 + np.random.default_rng(2).normal(0, 0.01, 60)
    ok = np.r_[np.full(20, 3000), np.full(40, 9000)] * noise
    start = synthetic.start(ok, np.full(60, 90_000.0))
    row = one_row(start, load={"warmup": 1.0})
    assert row["label"] == "warm-up"
    # 30 us for 10 windows, then 10 us for 40.
    assert row["reasons"] == [
        "CPU per request, requests/s: measured while it warmed up: the CPU "
        "per request fell by 67 %; give it a --warmup of 2.0 s"
    ]
    assert row["verdicts"]["latency"] == "VALID"
    assert one_row(start, load={"warmup": 2.0})["verdict"] == "VALID"


def test_one_disturbed_start_of_three_is_what_the_others_are_for() -> None:
    ok = np.r_[np.full(30, 9000), np.full(10, 6000)]
    disturbed = [
        synthetic.start(ok, np.full(40, 90_000.0), block=block)
        for block in (1, 2)
    ]
    row = one_row(steady(), steady(block=1), disturbed[1])
    assert (row["verdict"], row["label"]) == ("VALID", "inconsistent")
    row = one_row(steady(), *disturbed)
    (one,) = row["doubts"]
    assert one["code"] == "unsteady"
    assert one["what"] == (
        "it did not settle: the CPU per request rose by 50 % in 2 of 3 "
        "starts, between 10 and 15 us"
    )
    assert columns.cell(row, "server_cpu_us") == "10..15"


def test_a_course_that_hardly_moves_the_number_is_no_reason() -> None:
    ok = np.r_[np.full(5, 9000), np.full(95, 10_000)]
    row = one_row(synthetic.start(ok, np.full(100, 90_000.0)))
    assert (row["verdict"], row["label"]) == ("VALID", "warm-up")


def test_warmup_and_discard_are_left_out() -> None:
    ok = np.r_[np.full(10, 1000), np.full(30, 2000)]
    start = synthetic.start(ok, np.full(40, 90_000.0))
    by_time = one_row(start, load={"warmup": 1.0})
    by_count = one_row(start, load={"discard": 10_000})
    assert by_time["goodput"] == pytest.approx(20_000)
    assert by_count["goodput"] == pytest.approx(20_000)
    assert by_time["server_cpu_us"] == pytest.approx(45)
    assert by_count["server_cpu_us"] == pytest.approx(45)


def test_cost_relative_to_null() -> None:
    record = synthetic.race({"null": 5.0, "c-uv": 10.0}, seed=1)
    rows = summary.rows(record)
    assert [row["server"] for row in rows] == ["null", "c-uv"]
    assert rows[1]["cpu_vs_null"] == pytest.approx(2, rel=0.05)


def test_percentiles_are_of_the_merged_starts() -> None:
    """A fast start and a slow one: no mean of their percentiles."""
    fast = steady(service={place_of(1_000_000): 9850})
    slow = steady(
        service={place_of(1_000_000): 50, place_of(80_000_000): 10_000}
    )
    slow["start"] = 1
    cell = synthetic.cell("c-uv", [fast, slow])
    assert summary.row(cell)["p50_ns"] == pytest.approx(8e7, rel=1e-3)
    merged = histogram.of_cell(cell, samples.measured(cell))
    assert merged.count == 19_900
    assert histogram.quantile(merged, 0.48) == pytest.approx(1e6, rel=1e-3)


def test_the_warm_up_is_not_in_the_percentiles() -> None:
    start = steady(service={5000: 4000})
    late = synthetic.times({place_of(90_000_000): 500})["hdr"]
    for window in start["load"]["windows"][:10]:
        window["service"] = late
    row = one_row(start, load={"warmup": 1.0})
    assert row["p99_ns"] < 1e6
    assert one_row(start)["p99_ns"] > 8e7


def test_unanswered_requests_are_in_the_tail() -> None:
    start = steady(service={5000: 4000})
    start["load"]["censored"] = synthetic.times({place_of(10**9): 100})
    assert one_row(start)["p99_ns"] == pytest.approx(1e9, rel=1e-3)


def test_no_percentile_beyond_what_was_seen() -> None:
    assert histogram.quantile(times({5000: 999}), 0.99) is None
    assert histogram.quantile(times({5000: 1000}), 0.99) is not None
    assert histogram.quantile(times({}), 0.5) is None
