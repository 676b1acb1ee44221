"""The command line, gates, sweeps and verdicts."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Callable

import pytest

from wsgibench.cli import main
from wsgibench.errors import UsageError
from wsgibench.load import limits, slo, sweep
from wsgibench.load.doubts import of_run
from wsgibench.load.limits import Asked, Limits
from wsgibench.load.spec import LoadSpec
from wsgibench.verdicts import NUMBERS, of_number, summary

Load = Callable[..., dict[str, Any]]
Golden = Callable[..., Any]

LEAST = {
    "classes",
    "duration_s",
    "client_cpu_us_per_request",
    "verdict",
    "reasons",
}


def test_files(
    golden: Golden, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server = golden()
    out, rows = tmp_path / "out.json", tmp_path / "windows.ndjson"
    code = main(
        ["load", server.url, "-c", "4", "-n", "500", "--json", str(out)]
        + ["--windows", str(rows), "--window", "0.1"]
    )
    result = json.loads(out.read_text())
    assert code == (1 if result["verdict"] == "INVALID" else 0)
    assert set(result) >= LEAST
    assert result["classes"]["ok"] == 500
    windows = [json.loads(line) for line in rows.read_text().splitlines()]
    assert sum(window["ok"] for window in windows) == 500
    assert windows[0]["service"]  # its own histogram
    assert "500 answered" in capsys.readouterr().out


def test_quiet_says_nothing(
    golden: Golden, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["load", golden().url, "-n", "5", "-q"])
    assert capsys.readouterr() == ("", "")


def test_gates(golden: Golden, capsys: pytest.CaptureFixture[str]) -> None:
    url = golden(delay_each=2, delay=0.05).url
    run = ["load", url, "-n", "20", "-q", "--slo"]
    assert main([*run, "p50=10s,errors=0,rate=1"]) == 0
    assert main([*run, "p99=20ms,errors=0"]) == 3
    assert "p99" in capsys.readouterr().err
    assert main([*run, "rate=1000000"]) == 3
    for wrong in (
        "q98=1s",
        "p99=fast",
        "errors=none",
        "errors=101%",
        "p101=1s",
    ):
        assert main([*run, wrong]) == 2


def test_gates_before_the_run() -> None:
    assert slo.parse("p99.9=1.5ms, errors=3,errors=0.1%,mean=2us") == [
        slo.Gate("p99.9", 1.5e6),
        slo.Gate("errors", 3),
        slo.Gate("errors", 0.001, True),
        slo.Gate("mean", 2000),
    ]
    with pytest.raises(UsageError):
        slo.parse("p99")


def test_an_invalid_run_exits_1(golden: Golden) -> None:
    assert main(["load", golden(status_each=2).url, "-n", "10", "-q"]) == 1


def test_a_sweep(
    golden: Golden,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    out = tmp_path / "sweep.json"
    server = golden()
    monkeypatch.setattr(limits, "read", lambda: Limits(20_000, 1, 5))
    code = main(
        ["load", server.url, "--sweep", "1..8", "-d", "0.3"]
        + ["--source", "127.0.0.1", "--json", str(out)]
    )
    points = json.loads(out.read_text())["points"]
    assert [p["arithmetic"]["connections"] for p in points] == [1, 2, 4, 8]
    assert all(
        point["load"]["connections"]["open_at_once"] == count
        for point, count in zip(points, (1, 2, 4, 8))
    )
    # Five ports an address, of which a quarter is used.
    sources = [p["arithmetic"]["source_addresses"] for p in points]
    assert sources == [1, 2, 4, 7]
    assert code == 0


def test_a_point_out_of_reach_is_skipped(
    golden: Golden, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "sweep.json"
    monkeypatch.setattr(limits, "read", lambda: Limits(70, 1, 100))
    monkeypatch.setattr(sweep, "MOST_PROCESSES", 2)
    main(
        ["load", golden().url, "--sweep", "4,16", "-d", "0.2", "-q"]
        + ["--json", str(out)]
    )
    points = json.loads(out.read_text())["points"]
    assert points[0]["load"]["classes"]["ok"] > 0
    assert "load" not in points[1]
    assert "8 descriptors in each" in points[1]["skipped"]
    assert points[1]["arithmetic"]["descriptors_per_process"] == 70


def test_points() -> None:
    assert sweep.points("1..65536") == [2**n for n in range(17)]
    assert sweep.points("3,5") == [3, 5]
    for wrong in ("", "0..4", "a", "5..3"):
        with pytest.raises(UsageError):
            sweep.points(wrong)


def test_the_arithmetic() -> None:
    has = Limits(20_000, 32_768, 60_999)
    assert has.ports == 28_232
    assert limits.too_much(Asked(19_000, 1, 1, True), has) == []
    assert limits.too_much(Asked(65_536, 4, 3, True), has) == []
    both = limits.too_much(Asked(65_536, 1, 1, True), has)
    assert len(both) == 2
    assert "--processes 4" in both[0]
    assert "--sources 3" in both[1]
    assert len(limits.too_much(Asked(65_536, 1, 1, False), has)) == 1


# -- verdicts, of numbers made up


def good() -> dict[str, Any]:
    classes = dict.fromkeys(
        ("bad_status", "bad_body", "refused", "in_flight", "unsent"), 0
    )
    return {
        "classes": {"ok": 10_000, **classes},
        "scheduled": 10_000,
        "error": "",
        "interrupted": False,
        "duration_s": 10.0,
        "goodput": 1000.0,
        "client_cpu_share": 0.3,
        "lag": {"p99_ns": 20_000},
        "connections": {
            "asked": 4,
            "ever_answered": 4,
            "open_at_once": 4,
            "answers": 10_000,
            "stray": 0,
        },
        "kernel": {"steal_ticks": 0},
    }


OPEN = LoadSpec("http://127.0.0.1/", rate=1000.0)
CLOSED = LoadSpec("http://127.0.0.1/")


@pytest.mark.parametrize("spec", [OPEN, CLOSED])
def test_a_good_run_is_valid(spec: LoadSpec) -> None:
    assert of_run(good(), spec) == []


def with_class(name: str, count: int) -> dict[str, Any]:
    return {
        "classes": {**good()["classes"], name: count},
        "scheduled": 10_000 + count,
    }


def verdicts_of(result: dict[str, Any], spec: LoadSpec) -> dict[str, str]:
    doubts = of_run(result, spec)
    return {name: of_number(name, doubts) for name in NUMBERS}


LATENCY_ONLY = {"server_cpu_us": "VALID", "goodput": "VALID"}
RATES_ONLY = {"server_cpu_us": "VALID", "goodput": "SUSPECT"}


@pytest.mark.parametrize(
    ("change", "code", "expected"),
    [
        ({"lag": {"p99_ns": 100_001}}, "client-late", LATENCY_ONLY),
        ({"client_cpu_share": 0.81}, "client-late", LATENCY_ONLY),
        ({"goodput": 980.0}, "overload", LATENCY_ONLY),
        (with_class("unsent", 3), "overload", LATENCY_ONLY),
        ({"kernel": {"steal_ticks": 11}}, "stolen", RATES_ONLY),
    ],
)
def test_doubts_of_the_open_loop_are_of_single_numbers(
    change: dict[str, Any], code: str, expected: dict[str, str]
) -> None:
    result = {**good(), **change}
    assert [one["code"] for one in of_run(result, OPEN)] == [code]
    found = verdicts_of(result, OPEN)
    assert found == {**expected, "latency": "SUSPECT"}


def test_a_client_at_its_limit_says_nothing_of_the_cpu_per_request() -> None:
    result = {**good(), "client_cpu_share": 0.97}
    (one,) = of_run(result, CLOSED)
    assert one["code"] == "client-limited"
    assert one["remedy"]
    assert verdicts_of(result, CLOSED) == {**RATES_ONLY, "latency": "SUSPECT"}


def test_what_the_end_of_a_closed_loop_cuts_off_is_no_fault() -> None:
    assert of_run({**good(), **with_class("in_flight", 64)}, CLOSED) == []


def test_the_counters_of_the_machine_are_nobodys() -> None:
    kernel = {"ListenDrops": 7, "RetransSegs": 900, "ListenOverflows": 2}
    assert of_run({**good(), "kernel": kernel}, CLOSED) == []


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (with_class("refused", 30), "30 of 10030"),
        (with_class("bad_body", 1), "wrong bodies"),
        ({"scheduled": 9_999}, "do not sum"),
        ({"error": "EMFILE"}, "--processes"),
    ],
)
def test_what_is_no_measurement_spoils_all_numbers(
    change: dict[str, Any], word: str
) -> None:
    result = {**good(), **change}
    assert set(verdicts_of(result, OPEN).values()) == {"INVALID"}
    verdict, reasons = summary(of_run(result, OPEN))
    assert verdict == "INVALID"
    assert word in reasons[0]


def test_a_few_failures_are_counted_and_no_doubt() -> None:
    assert of_run({**good(), **with_class("refused", 3)}, CLOSED) == []


@pytest.mark.parametrize(
    ("change", "codes"),
    [
        ({"ever_answered": 3}, ["starved"]),
        ({"open_at_once": 3}, ["fewer-connections"]),
        ({"stray": 1}, ["wrong-answers"]),
        ({"resent": 9}, []),
        ({"resent": 11}, ["resent"]),
    ],
)
def test_doubts_of_connections(
    change: dict[str, int], codes: list[str]
) -> None:
    result = good()
    result["connections"].update(change)
    assert [one["code"] for one in of_run(result, CLOSED)] == codes


def test_a_tick_of_a_short_run_says_nothing_of_it() -> None:
    short = {**good(), "duration_s": 0.01}
    for kernel in (
        {"steal_ticks": 1, "wall_ns": 10**8},
        {"steal_ticks": 3, "wall_ns": 10**9},  # the processes came up in it
    ):
        found = of_run({**short, "kernel": kernel}, CLOSED)
        assert (found != []) == (kernel["steal_ticks"] == 3)


def test_every_doubt_says_what_to_do() -> None:
    bad = {
        **good(),
        **with_class("bad_body", 900),
        "error": "EMFILE",
        "interrupted": True,
        "goodput": 5.0,
        "lag": {"p99_ns": 10**9},
    }
    bad["connections"].update(
        ever_answered=1, open_at_once=1, stray=1, resent=9999
    )
    found = of_run(bad, OPEN)
    assert len(found) >= 9
    assert all(one["what"] and one["remedy"] for one in found)


def test_a_live_line_on_a_terminal(golden: Golden) -> None:
    pytest.importorskip("rich")
    master, slave = os.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "wsgibench", "load", golden().url]
        + ["-c", "2", "-d", "2.5"],
        stdout=subprocess.DEVNULL,
        stderr=slave,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    os.close(slave)
    text = b""
    while True:
        try:
            text += os.read(master, 65536)
        except OSError:  # Linux: the other side is closed
            break
    os.close(master)
    assert process.wait() == 0
    assert b" open" in text
    assert b"p99 " in text


def test_the_live_line() -> None:
    from wsgibench.load.live import line

    live = {
        "elapsed_ns": 2_000_000_000,
        "ok": 3000,
        "failed": 1,
        "connected": 8,
        "p50_ns": 1_500_000,
        "p99_ns": 20_000_000,
    }
    before = {"elapsed_ns": 1_000_000_000, "ok": 1000}
    assert "2000/s" in line(live, before)
    assert "p50 1.5 ms" in line(live, before)
