"""Comparisons of records whose truth is known."""

from __future__ import annotations

import copy
import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.stats import synthetic
from wsgibench.stats import (
    answers,
    bootstrap,
    comparison,
    noise,
    pilot,
    waiting,
)
from wsgibench.verdicts import INVALID, NUMBERS, SUSPECT, doubt

COSTS = {"null": 5.0, "c-uv": 6.0, "tornado": 150.0}
QUIET: dict[str, Any] = {"between": 0.01, "within": 0.03}


def verdicts(found: comparison.Comparison) -> dict[str, str]:
    return {
        one.cell.split(" on ")[0]: one.verdict
        for one in found.results
        if one.metric == "server_cpu_us"
    }


def against(costs: dict[str, float], **more: Any) -> comparison.Comparison:
    a = synthetic.race(COSTS, seed=1, **QUIET)
    b = synthetic.race(costs, seed=2, **QUIET)
    return comparison.compare(a, b, **more)


def test_faster_and_slower() -> None:
    found = against({"null": 5.0, "c-uv": 5.0, "tornado": 190.0})
    assert verdicts(found)["c-uv"] == comparison.FASTER
    assert verdicts(found)["tornado"] == comparison.SLOWER


def test_five_per_cent_show_in_ten_starts() -> None:
    """The standard profile's starts, and a planted loss."""
    a = synthetic.race(COSTS, seed=3, starts=10, **QUIET)
    b = synthetic.race(
        {**COSTS, "c-uv": 6.0 * 1.05}, seed=4, starts=10, **QUIET
    )
    assert verdicts(comparison.compare(a, b))["c-uv"] == comparison.SLOWER


def test_the_same_within_the_margin() -> None:
    found = against(COSTS, margin=0.1)
    assert set(verdicts(found).values()) == {comparison.SAME}
    mean = found.means["server_cpu_us"]
    # Of two servers and a null, each known to 1 % / sqrt(5) in each run.
    assert mean.estimate == pytest.approx(1, abs=0.03)
    assert found.mean_verdict("server_cpu_us").startswith("same")
    assert found.agreement("server_cpu_us") == (len(COSTS), len(COSTS))


def test_rows_that_changed_do_not_agree() -> None:
    costs = {**COSTS, "tornado": 2 * COSTS["tornado"]}
    agreed, of = against(costs).agreement("server_cpu_us")
    assert (agreed, of) == (len(COSTS) - 1, len(COSTS))


def test_a_slower_machine_is_no_slower_server() -> None:
    """Everything cost 20 % more: only the null server itself shows it."""
    costs = {name: 1.2 * cost for name, cost in COSTS.items()}
    for one in against(costs).results:
        assert one.ratio is not None
        expected = 1.0 if one.relative else 1 / 1.2
        assert one.ratio.estimate == pytest.approx(expected, abs=0.04)
        if not one.relative:
            assert one.verdict == comparison.CANNOT_TELL
            assert one.reason.startswith("slower, with the machine")
    plain = verdicts(against(costs, relative=False))
    assert plain["c-uv"] == plain["tornado"] == comparison.SLOWER


def test_false_alarms_between_runs_of_the_same_are_rare() -> None:
    """Of the comparisons that find a difference where there is none, at
    most 5 % are allowed; in each run any of six may raise one."""
    alarms = 0
    for seed in range(60):
        a = synthetic.race(COSTS, seed=1000 + seed, windows=20, **QUIET)
        b = synthetic.race(COSTS, seed=5000 + seed, windows=20, **QUIET)
        found = comparison.compare(a, b, margin=0.0)
        alarms += any(
            one.verdict in (comparison.FASTER, comparison.SLOWER)
            for one in found.results
        )
    assert alarms <= 3


def test_one_start_cannot_tell() -> None:
    a = synthetic.race(COSTS, seed=1, starts=1)
    b = synthetic.race({**COSTS, "c-uv": 60.0}, seed=2, starts=1)
    found = comparison.compare(a, b)
    assert set(verdicts(found).values()) == {comparison.CANNOT_TELL}
    assert "single start" in found.results[0].reason


def test_invalid_cells_are_not_compared() -> None:
    a = synthetic.race(COSTS, seed=1, **QUIET)
    b = copy.deepcopy(a)
    for start in b["cells"][1]["starts"]:
        start["load"]["doubts"] = [
            doubt("wrong-answers", INVALID, NUMBERS, "wrong bodies", "mend")
        ]
    found = comparison.compare(a, b)
    assert verdicts(found)["c-uv"] == comparison.CANNOT_TELL
    assert any("B is INVALID: wrong bodies" in r.reason for r in found.results)


def test_no_row_says_dearer_and_faster_at_once() -> None:
    """B's number is A's by the ratio that is tested, whatever the machine
    did between the runs and whichever estimator was taken."""
    for starts in (5, 10):
        a = synthetic.race(COSTS, seed=1, starts=starts, between=0.05)
        slower = {name: 1.3 * cost for name, cost in COSTS.items()}
        b = synthetic.race(slower, seed=2, starts=starts, between=0.05)
        for relative in (True, False):
            found = comparison.compare(a, b, relative=relative)
            for one in found.results:
                assert one.ratio is not None
                speed = one.b / one.a
                if one.metric != "goodput":
                    speed = 1 / speed
                assert speed == pytest.approx(one.ratio.estimate)


def test_tables_and_intervals_have_one_estimator() -> None:
    made = synthetic.race(COSTS, seed=3, starts=7, between=0.2)
    for one in answers.entries(made):
        assert one.cpu is not None
        assert one.goodput is not None
        assert one.row["server_cpu_us"] == pytest.approx(one.cpu.estimate)
        assert one.row["goodput"] == pytest.approx(one.goodput.estimate)
    found = answers.answers(made, answers.entries(made))[0]
    assert found.next is not None
    assert found.next.ratio is not None
    quotient = found.next.who.row["server_cpu_us"]
    quotient /= found.best.row["server_cpu_us"]
    assert found.next.ratio.estimate == pytest.approx(quotient)


def test_the_mean_of_all_has_a_verdict_of_its_own() -> None:
    slow = against({**COSTS, "c-uv": 12.0, "tornado": 300.0}, relative=False)
    words = slow.mean_verdict("server_cpu_us")
    mean = slow.means["server_cpu_us"]
    assert mean.high < 1
    assert words.startswith("slower")
    one = comparison.compare(
        synthetic.race(COSTS, seed=1, starts=1),
        synthetic.race(COSTS, seed=2, starts=1),
    )
    assert one.mean_verdict("goodput").startswith("cannot tell")


def test_bounds_prove_what_they_can() -> None:
    """A's requests/s are at least so many: B's fewer are fewer."""
    a = synthetic.race(COSTS, seed=1, **QUIET)
    words = ("client-limited", SUSPECT, ("goodput",), "the limit", "more")
    for cell in a["cells"]:
        for start in cell["starts"]:
            start["load"]["doubts"] = [doubt(*words)]
    for cost, verdict in ((9.0, "slower"), (4.0, "cannot tell")):
        costs = {**COSTS, "c-uv": cost}
        b = synthetic.race(costs, seed=2, **QUIET)
        found = {
            (one.cell.split(" on ")[0], one.metric): one
            for one in comparison.compare(a, b).results
        }
        assert found["c-uv", "goodput"].verdict == verdict
        assert found["c-uv", "server_cpu_us"].verdict != "cannot tell"


@pytest.mark.parametrize(
    ("cost", "wait", "verdict"),
    [
        (190.0, 2.0, "cannot tell"),
        (190.0, 9.0, "slower"),  # 3.6 % more
        (190.0, 5.0, "cannot tell"),  # 1.6 %
        (160.0, 9.0, "faster"),  # what it computes counts, too
    ],
)
def test_what_is_waited_shows_beside_noise(
    cost: float, wait: float, verdict: str
) -> None:
    a, b = synthetic.waits(190.0, 2.0, 1), synthetic.waits(cost, wait, 2)
    (one,) = comparison.compare(a, b, metrics=["goodput"]).results
    assert one.ratio is not None
    if verdict != "faster":
        assert one.ratio.low <= 1 <= one.ratio.high
    assert one.verdict == verdict
    assert ("waits 7 us more" in one.reason) == (verdict == "slower")


def test_a_load_that_waits_by_itself_says_nothing_of_waiting() -> None:
    a, b = synthetic.waits(190.0, 2.0, 1), synthetic.waits(190.0, 9.0, 2)
    for made in (a, b):
        made["cells"][0]["load"]["rate"] = 100.0
    assert waiting.between(a["cells"][0], b["cells"][0]) is None


def test_the_noise_floor_widens_the_margin() -> None:
    a = synthetic.race(COSTS, seed=1, **QUIET)
    again = synthetic.race({"c-uv": 6.6}, seed=2, **QUIET)["cells"][0]
    a["cells"].append({**again, "aa": True})
    floor = noise.floor(a, "server_cpu_us")
    assert floor is not None
    assert noise.spread(floor) == pytest.approx(0.1, abs=0.03)
    found = comparison.compare(a, synthetic.race(COSTS, seed=3, **QUIET))
    assert found.margin["server_cpu_us"] == noise.spread(floor)


def test_without_a_pair_there_is_no_floor() -> None:
    assert noise.floor(synthetic.race(COSTS, seed=1), "goodput") is None


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"machine": {"cpu": "other"}}, "different processors"),
        ({"machine": {"kernel": "9"}}, "different kernels"),
        ({"machine": {"cpus": [0]}}, "2 and 1 CPUs"),
        ({"scenario": "sleep"}, "no cell in common"),
    ],
)
def test_what_cannot_be_compared_says_why(
    change: dict[str, Any], words: str
) -> None:
    a = synthetic.race(COSTS, seed=1)
    b = copy.deepcopy(a)
    b["machine"].update(change.get("machine", {}))
    for cell in b["cells"]:
        cell["scenario"] = change.get("scenario", cell["scenario"])
    assert words in " ".join(comparison.incomparable(a, b))
    assert comparison.incomparable(a, a) == []


def test_another_version_of_python_is_another_cell() -> None:
    a = synthetic.race(COSTS, seed=1)
    b = copy.deepcopy(a)
    b["cells"][1]["python"]["version"] = "3.12.1"
    found = comparison.compare(a, b)
    assert len(found.only_a) == len(found.only_b) == 1


def test_precision_is_reached_and_not_before() -> None:
    wide = synthetic.race(COSTS, seed=1, starts=9, between=0.05)
    narrow = synthetic.race(COSTS, seed=1, starts=30, between=0.01)
    assert not pilot.precise(wide, 0.01)
    assert pilot.precise(narrow, 0.01)
    assert not pilot.precise(synthetic.race(COSTS, seed=1, starts=2), 10.0)


def test_starts_that_would_tell() -> None:
    """A quarter of the width takes sixteen times the starts."""
    found = bootstrap.Interval(1.0, 1 / 1.04, 1.04, 0.5, 5)
    wanted = 5 * (math.log(1.04) / math.log(1.01)) ** 2
    assert pilot.starts_for(found, 0.01) == math.ceil(wanted)
    verdict, reason = comparison.decide(found, 0.5, 0.01)
    assert verdict == comparison.CANNOT_TELL
    assert "5 starts are too few; about %d" % math.ceil(wanted) in reason


@pytest.mark.parametrize(
    ("estimate", "low", "high", "margin", "verdict"),
    [
        (1.03, 1.01, 1.05, 0.04, "cannot tell"),
        (1.03, 1.01, 1.05, 0.05, "same"),
        (1.03, 1.01, 1.05, 0.02, "faster"),
        (1 / 1.04, 1 / 1.07, 1 / 1.01, 0.06, "cannot tell"),
        (1 / 1.04, 1 / 1.07, 1 / 1.01, 0.03, "slower"),
        (1 / 1.04, 1 / 1.07, 1 / 1.01, 0.0, "slower"),
        (1.04, 0.99, 1.09, 0.03, "cannot tell"),
    ],
)
def test_a_difference_counts_beyond_the_margin(
    estimate: float, low: float, high: float, margin: float, verdict: str
) -> None:
    found = bootstrap.Interval(estimate, low, high, 0.01, 10)
    said, reason = comparison.decide(found, 0.01, margin)
    assert said == verdict
    below = margin in (0.04, 0.06)
    assert ("up to %.1f %% is none" % (100 * margin) in reason) == below


def test_less_than_the_noise_floor_is_no_loss() -> None:
    """4 % that are sure, in a run whose A/A pair was 8 % apart."""
    quiet: dict[str, Any] = {"between": 0.003, "within": 0.01}
    a = synthetic.race({"c-uv": 100.0}, seed=1, **quiet)
    b = synthetic.race({"c-uv": 104.0}, seed=2, **quiet)
    metrics = ["server_cpu_us"]
    (one,) = comparison.compare(a, b, metrics=metrics).results
    assert one.verdict == comparison.SLOWER
    again = synthetic.race({"c-uv": 108.0}, seed=3, **quiet)["cells"][0]
    a["cells"].append({**again, "aa": True})
    (one,) = comparison.compare(a, b, metrics=metrics).results
    assert one.verdict != comparison.SLOWER


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "wsgibench", "compare", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_how_fast_the_machines_were_stands_below_the_table(
    tmp_path: Path,
) -> None:
    for name, usual in (("a", 400.0), ("b", 441.0)):
        made = synthetic.race(COSTS, seed=1, **QUIET)
        for start in made["cells"][0]["starts"]:
            start["yardstick"] = [{"now_us": 440.0, "usual_us": usual}]
        (tmp_path / name).write_text(json.dumps(made))
    said = command(str(tmp_path / "a"), str(tmp_path / "b")).stdout
    assert "took the server's CPU 400 us in A and 441 us in B" in said


def test_command_gates_by_its_exit_code(tmp_path: Path) -> None:
    records = {
        "a": synthetic.race(COSTS, seed=1, **QUIET),
        "slow": synthetic.race({**COSTS, "c-uv": 9.0}, seed=2, **QUIET),
        "fast": synthetic.race({**COSTS, "c-uv": 5.2}, seed=1, **QUIET),
        "other": {**synthetic.race(COSTS, seed=1), "machine": {"cpu": "z"}},
    }
    paths = {}
    for name, record in records.items():
        paths[name] = str(tmp_path / name)
        Path(paths[name]).write_text(json.dumps(record))
    slow = command(paths["a"], paths["slow"], "--json", paths["a"] + ".json")
    assert slow.returncode == 1
    assert "slower" in slow.stdout
    written = json.loads(Path(paths["a"] + ".json").read_text())
    assert {one["verdict"] for one in written["results"]} >= {"slower"}
    fast = command(paths["a"], paths["fast"])
    assert fast.returncode == 0, fast.stderr
    assert "geometric mean" in fast.stdout
    refused = command(paths["a"], paths["other"])
    assert refused.returncode == 2
    assert "cannot be compared" in refused.stderr
    forced = command(paths["a"], paths["other"], "--force")
    assert forced.returncode == 0, forced.stderr
