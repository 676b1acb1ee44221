"""Whose were the CPUs? Starts with a known part of the machine."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.stats import synthetic
from wsgibench.stats import columns, machine, samples, summary


def start(
    *,
    block: int = 0,
    windows: int = 40,
    server: float = 0.9,
    client: float = 0.5,
    server_wait: float = 0.0,
    client_wait: float = 0.0,
    others: float = 0.0,
    stolen: float = 0.0,
    throttled: float = 0.0,
    slower: float = 0.0,
) -> dict[str, Any]:
    """Shares of one CPU, the same in all windows of 100 ms."""
    used = np.full(windows, 1e5 * server)
    found = synthetic.start(used / 10, used, block=block)
    origin = found["load"]["start_ns"]
    seconds = 0.1 * np.arange(windows + 1)
    times = [int(origin + 1e9 * s) for s in seconds]

    def samples_of(cpu: float, wait: float) -> list[dict[str, Any]]:
        return [
            {
                "time_ns": time,
                "cpu_ns": 1e9 * cpu * s,
                "rss": 10 << 20,
                "switches": int(500 * s),
                "involuntary": int(300 * s),
                "wait_ns": 1e9 * wait * s,
            }
            for time, s in zip(times, seconds)
        ]

    found["usage"] = samples_of(server, server_wait)
    found["client_usage"] = samples_of(client, client_wait)
    found["machine_usage"] = [
        {
            "time_ns": time,
            "busy_ns": 1e9 * (server + client + others + 0.02) * s,
            "steal_ns": 1e9 * stolen * s,
            "other_ns": 1e9 * 0.02 * s,
            "pressure_us": 0,
            "throttled_us": 1e6 * throttled * s,
        }
        for time, s in zip(times, seconds)
    ]
    found["yardstick"] = [
        {"now_us": 400.0 * (1 + part), "usual_us": 400.0}
        for part in (slower, 0.0)
    ]
    return found


BUSY: dict[str, Any] = {
    "server": 0.34,
    "client": 0.33,
    "server_wait": 0.66,
    "client_wait": 0.6,
    "others": 1.33,
}


def row(*starts: dict[str, Any]) -> dict[str, Any]:
    return summary.row(synthetic.cell("c-uv", list(starts)))


def test_shares_are_what_was_planted() -> None:
    made = start(others=0.3, server_wait=0.2, stolen=0.04, throttled=0.05)
    found = machine.shares(made, 1.0, 3.0)
    assert found.server == pytest.approx(0.9)
    assert found.client == pytest.approx(0.5)
    assert found.others == pytest.approx(0.3)
    assert found.server_wait == pytest.approx(0.2)
    assert found.stolen == pytest.approx(0.04)
    assert found.throttled == pytest.approx(0.05)
    assert found.involuntary == pytest.approx(300, rel=0.05)
    assert found.taken == pytest.approx(0.2)


@pytest.mark.parametrize(
    ("planted", "words"),
    [
        (BUSY, "others used 1.33 CPUs of theirs"),
        ({"others": 0.1, "server_wait": 0.1}, "others used 0.10 CPUs"),
        ({"stolen": 0.1}, "the hypervisor gave 0.10 CPUs"),
        ({"throttled": 0.5, "server": 0.4}, "control group stopped them 50 %"),
        ({"slower": 0.4}, "the server's CPU was 40 % slower than usual"),
    ],
)
def test_what_the_machine_took_makes_a_row_invalid(
    planted: dict[str, Any], words: str
) -> None:
    found = row(*(start(block=block, **planted) for block in range(3)))
    assert set(found["verdicts"].values()) == {"INVALID"}
    assert columns.codes(found) == "INVALID: machine-busy"
    assert "in 3 of 3 starts" in found["reasons"][0]
    assert words in found["reasons"][0]
    assert found["doubts"][0]["remedy"]


@pytest.mark.parametrize(
    "planted",
    [
        {},
        # Its own threads wait for one another: nobody else was there.
        {"server": 1.0, "server_wait": 3.0},
        # Others took what ours left.
        {"server": 0.3, "client": 0.1, "others": 0.5},
        # A server that waits for a timer.
        {"server": 0.05, "client": 0.02},
        {"others": 0.02, "server_wait": 0.02, "stolen": 0.005},
        {"slower": 0.05},
    ],
)
def test_what_is_nobodys_fault_is_none(planted: dict[str, Any]) -> None:
    assert row(*(start(block=b, **planted) for b in range(3)))["doubts"] == []


def test_a_record_may_lack_the_yardstick_or_hold_nonsense() -> None:
    made = start()
    made["yardstick"] = [{"now_us": 400.0, "usual_us": 0.0}]
    assert machine.slower(made) == 0.0
    del made["yardstick"]
    assert machine.slower(made) == 0.0


def slowed(*looks: float, cpu: int = 0) -> dict[str, Any]:
    """A start of a run that took the first of these for usual."""
    made = start()
    made["yardstick"] = [
        {"now_us": one, "usual_us": looks[0], "cpu": cpu} for one in looks
    ]
    return made


def test_a_slow_beginning_is_seen_once_the_cpu_was_faster() -> None:
    began = slowed(600.0, 610.0)
    later = [slowed(400.0, 402.0) for _ in range(4)]
    other = slowed(500.0, 500.0, cpu=1)  # a slower one, from first to last
    cell = synthetic.cell("c-uv", [began, *later, other])
    record = synthetic.record([cell, synthetic.cell("null", [])])
    assert [machine.slower(one) for one in (began, *later, other)] == (
        pytest.approx([0.0167, *[0.005] * 4, 0.0], abs=1e-3)
    )
    machine.review(record)
    assert machine.slower(began) == pytest.approx(0.525)
    for one in later:
        assert machine.slower(one) < 0.01
    assert machine.slower(other) == 0.0


@pytest.mark.parametrize("count", [1, 2, 5])
def test_one_fast_moment_makes_no_start_slow(count: int) -> None:
    """A CPU that has rested is faster for a moment (turbo)."""
    starts = [slowed(400.0, 400.0) for _ in range(count)]
    starts[0]["yardstick"][0]["now_us"] = 300.0
    machine.review(synthetic.record([synthetic.cell("c-uv", starts)]))
    assert [machine.slower(one) for one in starts] == [0.0] * count


def test_one_disturbed_start_is_left_out() -> None:
    cell = synthetic.cell(
        "c-uv", [start(), start(block=1), start(block=2, **BUSY)]
    )
    assert list(samples.measured(cell)) == [0, 1]
    found = summary.row(cell)
    assert found["starts"] == 2
    assert found["doubts"] == []
    assert found["goodput"] == pytest.approx(90_000, rel=0.01)


def test_when_most_are_disturbed_the_row_says_so_with_all() -> None:
    found = row(start(), start(block=1, **BUSY), start(block=2, **BUSY))
    assert found["starts"] == 3
    assert "in 2 of 3 starts" in found["reasons"][0]


def test_the_warm_up_may_be_disturbed() -> None:
    made = start(windows=40)
    for at, one in enumerate(made["usage"][:11]):
        one["wait_ns"] = 1e8 * at
    for one in made["usage"][11:]:
        one["wait_ns"] = 1e9
    for at, one in enumerate(made["machine_usage"]):
        one["busy_ns"] += 1e8 * min(at, 10)
    asked = {"warmup": 1.0}
    assert samples.disturbance(made, asked) == ""
    assert samples.disturbance(made, {"warmup": 0.0})
