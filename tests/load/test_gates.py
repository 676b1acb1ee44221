"""Objectives (--slo), and what cannot pass one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Callable

import pytest

from wsgibench.cli import main
from wsgibench.load import output, slo, stall, tail
from wsgibench.load.hdr import Histogram

Golden = Callable[..., Any]


def test_a_sweep_holds_gates_and_writes_windows(
    golden: Golden, tmp_path: Path
) -> None:
    rows = tmp_path / "rows"
    run = ["load", golden().url, "--sweep", "1,2", "-d", "0.3", "-q"]
    assert main([*run, "--slo", "max=0.001ns"]) == 3
    assert main([*run, "--slo", "max=60s", "--windows", str(rows)]) == 0
    windows = [json.loads(line) for line in rows.read_text().splitlines()]
    assert {window["connections"] for window in windows} == {1, 2}


def result(**changes: Any) -> dict[str, Any]:
    times = {"count": 500, "p50_ns": 1e6, "p90_ns": 1e6, "p99_ns": 2e6}
    made: dict[str, Any] = {
        "tool": "wsgibench",
        "asked": {"mean_rate": 100.0},
        "classes": {"ok": 499},
        "scheduled": 499,
        "ok_in_time": 499,
        "goodput": 99.8,
        "duration_s": 5.0,
        "duration_ns": 5e9,
        "tail": times,
        "service": times,
        "lag": {"p99_ns": 0},
        "windows": [],
        "interrupted": False,
        "verdict": "VALID",
    }
    return {**made, **changes}


def missed(text: str, **changes: Any) -> list[str]:
    return slo.missed(slo.parse(text), result(**changes))


def test_a_rate_that_is_asked_for_can_be_reached() -> None:
    assert missed("rate=100") == []
    assert missed("rate=101.5")
    # A Poisson process came to 430 arrivals, all answered.
    low = {"scheduled": 430, "ok_in_time": 430, "classes": {"ok": 430}}
    assert missed("rate=100", **low, goodput=86.0) == []
    # What was on its way at the end and came at once.
    end = {"scheduled": 500, "ok_in_time": 499, "classes": {"ok": 500}}
    assert missed("rate=100", **end) == []
    # A queue that was answered in the drain is no rate.
    queue = {"scheduled": 500, "ok_in_time": 300, "classes": {"ok": 500}}
    assert missed("rate=100", **queue, goodput=60.0)
    closed = {"asked": {"mean_rate": 0}, "goodput": 99.0}
    assert missed("rate=100", **closed)


def test_failures_that_a_gate_allows(golden: Golden) -> None:
    run = ["load", golden(status_each=20).url, "-n", "100", "-q", "--slo"]
    assert main([*run, "errors=10%"]) == 0
    assert main([*run, "errors=2%"]) == 3
    assert main([*run, "p90=60s"]) == 1  # INVALID, and no gate was missed
    assert main([*run, "p99=60s,errors=10%"]) == 3  # one in a hundred may fail


@pytest.mark.parametrize(
    ("failed", "gates", "sentence"),
    [
        (400, "p99=20ms", "p99: 400 of 10000 requests failed"),
        (99, "p99=20ms", ""),
        (400, "p95=20ms", ""),
        (1, "max=20ms", "max: 1 of 10000 requests failed"),
        (0, "max=20ms", ""),
        (9, "p99.95=20ms", "p99.95: 9 of 10000 requests failed"),
    ],
)
def test_to_fail_soon_keeps_no_limit(
    failed: int, gates: str, sentence: str
) -> None:
    """Answers take 5 ms; what fails does so within 0.3."""
    answered = Histogram.of([5_000_000] * (9_990 - failed))
    # Ten were under way when the time was over.
    censored = Histogram.of([300_000] * failed + [4_000_000] * 10)
    found = missed(
        gates,
        scheduled=10_000,
        classes={"ok": answered.count, "bad_status": failed, "in_flight": 10},
        response=tail.described(answered),
        censored=tail.described(censored),
        tail=tail.with_censored(answered, censored),
    )
    assert [one.startswith(sentence) for one in found] == [True][
        : bool(sentence)
    ]


def test_a_generator_that_failed_says_nothing_of_the_server() -> None:
    gates = slo.parse("rate=1000")
    ended = result(error="EMFILE", verdict="INVALID")
    assert slo.missed(gates, ended)
    assert "EMFILE" in slo.clients_doing(gates, ended)


def test_errors_as_a_share() -> None:
    some = {"scheduled": 10_000, "classes": {"ok": 9_990}}
    assert missed("errors=0.1%", **some) == []
    assert missed("errors=0.09%", **some)
    assert missed("errors=10", **some) == []
    assert missed("errors=9", **some)


def windows(*answers: int) -> list[dict[str, Any]]:
    return [
        {
            "start_ns": i * 10**8,
            "end_ns": (i + 1) * 10**8,
            "ok": n,
            "failed": 0,
        }
        for i, n in enumerate(answers)
    ]


def test_a_closed_loop_that_stood_still_passes_no_percentile() -> None:
    rows = windows(*[100] * 20, *[0] * 15, *[100] * 15)
    closed = {"asked": {"mean_rate": 0}, "windows": rows}
    assert stall.longest_ns({"windows": rows}) == 15 * 10**8
    sentences = missed("p99=50ms", **closed)
    assert len(sentences) == 1
    assert "1.5 s" in sentences[0]
    assert missed("p50=50ms", **closed) == []  # it moved most of the time
    assert missed("p99=2s", **closed) == []
    # One that needs a second for each answer does not stand still.
    slow = {"p90_ns": 1e9, "p99_ns": 1e9, "p50_ns": 1e9, "count": 5}
    assert missed("p99=1.1s", **closed, service=slow, tail=slow) == []
    assert missed("p99=50ms", windows=rows) == []  # an open loop counts


def test_the_clients_lateness_is_told_apart() -> None:
    late = {"count": 500, "p50_ns": 1e6, "p99_ns": 80e6}
    gates = slo.parse("p99=20ms")
    ours = result(tail=late, lag={"p99_ns": 70e6})
    assert slo.missed(gates, ours)
    assert "client" in slo.clients_doing(gates, ours)
    slow = result(tail=late, service=late, lag={"p99_ns": 70e6})
    assert slo.clients_doing(gates, slow) == ""
    prompt = result(tail=late, lag={"p99_ns": 1e5})
    assert slo.clients_doing(gates, prompt) == ""
    both = slo.parse("p99=20ms,errors=0")
    failed = {**ours, "scheduled": 600}
    assert slo.clients_doing(both, failed) == ""


@pytest.mark.parametrize("more", [[], ["--window", "2"]])
def test_a_closed_loop_that_stands_still_says_so(
    golden: Golden, more: list[str]
) -> None:
    url = golden(stall_at=20, stall=1.6).url
    run = ["load", url, "-c", "2", "-d", "3", "-q", "--timeout", "9"]
    assert main([*run, "--slo", "p99=50ms", *more]) == 3


def test_an_open_loop_that_is_hardly_answered_is_no_measurement(
    golden: Golden, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    run = ["load", golden().url, "-c", "2", "-d", "1", "-q", "--drain", "0"]
    assert main([*run, "--rate", "20000000", "--json", str(out)]) == 1
    reasons = json.loads(out.read_text())["reasons"]
    assert any("were due were answered" in reason for reason in reasons)


def test_failures_only_are_lower_bounds(
    golden: Golden, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["load", golden(status_each=1).url, "-n", "20"])
    text = capsys.readouterr().out
    assert "p50 >= " in text
    assert "p50 0 ns" not in text
    assert "status 503: 20" in text


def test_nothing_answered_has_no_times() -> None:
    assert output._times("x", {"count": 0}) == "x: none, nothing was answered"
