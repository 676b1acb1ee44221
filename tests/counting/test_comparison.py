"""Counted records held together, and the rule of the gate."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.stats import synthetic
from wsgibench import cli
from wsgibench.reports import counted as report
from wsgibench.stats import counted, gate
from wsgibench.verdicts import INVALID, NUMBERS, SUSPECT, doubt

CALLS = {"epoll_wait": 1.0, "recvfrom": 1.0, "sendto": 1.0}


def cell(
    cost: float,
    *,
    server: str = "c-uv",
    apart: float = 0.0003,
    calls: dict[str, float] | None = None,
    allocations: float = 2.0,
    starts: int = 2,
    seed: int = 1,
    **more: Any,
) -> dict[str, Any]:
    """Its turns lie so far `apart`."""
    rng = np.random.default_rng(seed)
    made = [
        {
            "start": number,
            "seed": 1,
            "counted": {
                "counter": "callgrind",
                "requests": 256,
                "instructions": cost * (1 + rng.normal(0, apart / 5)),
                "turns": list(cost * (1 + rng.normal(0, apart, 5))),
                "allocations": allocations,
                "calls": CALLS if calls is None else calls,
                "switches": 1.0,
            },
        }
        for number in range(starts)
    ]
    return synthetic.cell(server, made, **more)


def record(*cells: dict[str, Any]) -> dict[str, Any]:
    return synthetic.record(list(cells), kind="counted")


def verdicts(
    a: dict[str, Any], b: dict[str, Any], **more: Any
) -> dict[str, str]:
    found = counted.compare(record(a), record(b), **more)
    return {one.number: one.verdict for one in found}


def test_one_per_cent_more_is_found_and_the_same_is_the_same() -> None:
    same = verdicts(cell(44_000), cell(44_010, seed=2))
    assert set(same.values()) == {counted.SAME}
    more = verdicts(cell(44_000), cell(44_440, seed=2))
    assert more["instructions"] == counted.MORE
    assert verdicts(cell(44_440), cell(44_000))["instructions"] == "less"


def test_noise_of_the_cell_widens_what_is_the_same() -> None:
    """A server with threads: its turns lie 2 % apart."""
    found = counted.compare(
        record(cell(44_000, apart=0.02)),
        record(cell(44_440, apart=0.02, seed=2)),
    )
    assert found[0].verdict == counted.SAME
    assert float(found[0].reason.split()[1]) > 1.0


def test_a_system_call_more_is_named() -> None:
    more = {**CALLS, "getpid": 1.0}
    found = counted.compare(record(cell(9)), record(cell(9, calls=more)))
    (one,) = [o for o in found if o.number == "calls"]
    assert one.verdict == counted.MORE
    assert one.reason == "getpid 0.00 -> 1.00"


def test_an_allocation_more_is_found() -> None:
    assert verdicts(cell(9), cell(9, allocations=2.01))["allocations"] == (
        counted.SAME
    )
    assert verdicts(cell(9), cell(9, allocations=3.0))["allocations"] == (
        counted.MORE
    )


def of_gate(new: float, again: float = 44_000.0) -> list[str]:
    cells = {
        "base": cell(44_000, starts=1),
        "new": cell(new, starts=1, seed=2),
        "base again": cell(again, starts=1, seed=3, aa=True),
    }
    return gate.lost(gate.judge_counted(cells, 0.005), [])


def test_the_gate_finds_one_per_cent() -> None:
    (sentence,) = of_gate(44_440)
    assert "1.0" in sentence
    assert "more instructions" in sentence
    assert of_gate(44_020) == []
    assert of_gate(43_000) == []


def test_what_base_differs_from_itself_by_does_not_count() -> None:
    assert of_gate(44_440, again=44_400) == []
    assert of_gate(45_400, again=44_400)


def rounds(*costs: tuple[float, float, float]) -> dict[str, dict[str, Any]]:
    """Of base, new and base again."""
    made = [
        [cell(cost, starts=1, seed=n)["starts"][0] for n, cost in enumerate(c)]
        for c in zip(*costs)
    ]
    names = ("base", "new", "base again")
    return {n: {**cell(1.0), "starts": s} for n, s in zip(names, made)}


CALM, PLANTED = (44_000.0, 44_000.0, 44_000.0), (44_000.0, 44_440.0, 44_000.0)
#: One start of ten costs 2 % more.
UNLUCKY, TORN = (44_000.0, 44_880.0, 44_000.0), (44_000.0, 44_440.0, 44_880.0)


@pytest.mark.parametrize(
    ("costs", "doubtful", "is_lost"),
    [
        ([CALM], False, False),
        ([UNLUCKY], True, True),
        ([UNLUCKY, CALM], False, False),
        ([PLANTED], True, True),
        ([PLANTED, PLANTED], False, True),
        ([TORN], True, False),
        ([TORN, PLANTED], True, True),
        ([TORN, PLANTED, PLANTED], False, True),
    ],
)
def test_a_loss_and_bases_that_differ_are_counted_again(
    costs: list[Any], doubtful: bool, is_lost: bool
) -> None:
    cells = rounds(*costs)
    assert gate.is_doubtful(cells, 0.005) == doubtful
    assert bool(gate.lost(gate.judge_counted(cells, 0.005), [])) == is_lost


def timed(cost: float, *, seed: int, **more: Any) -> dict[str, Any]:
    made = synthetic.race(
        {"c-uv": cost}, seed=seed, starts=5, between=0.005, within=0.02
    )
    found: dict[str, Any] = {**made["cells"][0], **more}
    return found


@pytest.mark.parametrize(
    ("cost", "verdict"), [(10.0, "same"), (11.0, "slower"), (9.0, "faster")]
)
def test_the_gate_by_the_clock(cost: float, verdict: str) -> None:
    cells = {
        "base": timed(10.0, seed=1),
        "new": timed(cost, seed=2),
        "base again": timed(10.0, seed=3, aa=True),
    }
    found = gate.judge_timed(cells)
    assert found.verdict == verdict
    assert bool(gate.lost([], [found])) == (verdict == "slower")


def test_less_than_the_bases_differ_by_is_no_loss() -> None:
    """4 % more, where the base was 6 % from itself."""
    cells = {
        "base": timed(10.0, seed=1),
        "new": timed(10.4, seed=2),
        "base again": timed(10.0, seed=3, aa=True),
    }
    assert gate.judge_timed(cells).verdict == "slower"
    cells["base again"] = timed(10.6, seed=3, aa=True)
    found = gate.judge_timed(cells)
    assert found.floor == pytest.approx(0.06, abs=0.01)
    assert not gate.lost([], [found])


@pytest.mark.parametrize(
    ("code", "fails"),
    [("wrong-answers", True), ("failures", True), ("interrupted", False)],
)
@pytest.mark.parametrize("which", ["base", "new"])
def test_what_is_cheap_because_it_is_wrong_has_lost(
    which: str, code: str, fails: bool
) -> None:
    cells = {
        "base": timed(10.0, seed=1),
        "new": timed(8.0, seed=2),
        "base again": timed(10.0, seed=3, aa=True),
    }
    against = doubt(code, INVALID, NUMBERS, "900 of 1000 are wrong", "mend it")
    cells[which]["starts"][0]["load"]["doubts"] = [against]
    found = gate.judge_timed(cells)
    lost = gate.lost([], [found])
    assert (found.verdict == "cannot tell") == fails
    assert [one.endswith("900 of 1000 are wrong") for one in lost] == (
        [True] if fails and which == "new" else []
    )


@pytest.mark.parametrize(
    ("wait", "is_lost"),
    [(2.0, False), (3.0, False), (5.0, True), (1.0, False)],
)
def test_the_gate_finds_what_is_waited(wait: float, is_lost: bool) -> None:
    """2 of 192 us: 1 us more is 0.5 %, 3 are 1.6."""
    cells = {
        "base": synthetic.waits(190.0, 2.0, 1)["cells"][0],
        "new": synthetic.waits(190.0, wait, 2)["cells"][0],
        "base again": synthetic.waits(190.0, 2.0, 3)["cells"][0],
    }
    found = gate.judge_timed(cells)
    assert found.verdict != "slower"  # the CPU is as before
    assert bool(gate.lost([], [found])) == is_lost
    assert ("waits 3 us more in a request" in found.waits) == is_lost
    limited = doubt("client-limited", SUSPECT, ("goodput",), "so", "more")
    for start in cells["new"]["starts"]:
        start["load"]["doubts"] = [limited]
    assert not gate.judge_timed(cells).waits


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    made = {
        "a": record(cell(44_000)),
        "more": record(cell(44_900, seed=2)),
        "timed": synthetic.race({"c-uv": 6.0}, seed=1),
    }
    found = {}
    for name, one in made.items():
        path = tmp_path / (name + ".json")
        path.write_text(json.dumps(one))
        found[name] = str(path)
    return found


def test_compare_as_a_command(
    files: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["compare", files["a"], files["a"]]) == 0
    assert cli.main(["compare", files["a"], files["more"]]) == 1
    assert "1.02" in capsys.readouterr().out
    code = ["compare", files["a"], files["more"], "--gate", "none"]
    assert cli.main(code) == 0
    assert cli.main(["compare", files["a"], files["timed"]]) == 2
    assert "the other timed" in capsys.readouterr().err


def test_report_of_a_counted_record(
    files: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["report", files["a"]]) == 0
    said = capsys.readouterr().out
    assert "recvfrom 1.00" in said
    assert cli.main(["report", files["a"], "--format=html"]) == 2
    assert cli.main(["report", files["timed"], "--format=counted"]) == 2


def test_rows_are_of_all_that_was_counted() -> None:
    text = report.render(record(cell(44_000), cell(9_000, server="null")))
    lines = text.splitlines()
    assert lines[1].startswith("null")  # the cheapest first
    assert "9000" in lines[1]
