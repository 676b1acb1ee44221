"""What a race makes of its starts."""

from __future__ import annotations

from typing import Any

import pytest

from tests.stats import synthetic
from wsgibench.errors import WsgibenchError
from wsgibench.harness.calm import Calm
from wsgibench.pytesting import race
from wsgibench.pytesting.race import Race
from wsgibench.verdicts import INVALID, NUMBERS, doubt


def start(number: int, slower: float = 0.0) -> dict[str, Any]:
    found = synthetic.start([9000] * 40, [90_000.0] * 40, block=number)
    found["yardstick"] = [{"now_us": 400 * (1 + slower), "usual_us": 400.0}]
    return found


def test_costs_and_their_ratio() -> None:
    raced = Race(synthetic.race({"one": 10.0, "two": 5.0}, seed=1))
    assert len(raced.costs("one")) == 5
    assert sum(raced.costs("one")) / 5 == pytest.approx(10.0, rel=0.05)
    assert raced.ratio("one", "two").estimate == pytest.approx(2.0, rel=0.05)
    with pytest.raises(KeyError):
        raced.costs("three")


def test_what_is_no_measurement_has_no_ratio() -> None:
    failed = start(0)
    failed["load"]["doubts"] = [
        doubt("failures", INVALID, NUMBERS, "half of them failed", "")
    ]
    made = {
        "good": start(0),
        "slowed": start(0, slower=0.5),
        "failing": failed,
    }
    cells = [synthetic.cell(name, [one]) for name, one in made.items()]
    raced = Race(synthetic.record(cells))
    assert raced.ratio("good", "good").estimate == 1.0
    for pair in (("good", "slowed"), ("slowed", "good")):
        with pytest.raises(
            WsgibenchError,
            match="slowed tells no CPU per request: the server's CPU was 50 %",
        ):
            raced.ratio(*pair)
    with pytest.raises(WsgibenchError, match="half of them failed"):
        raced.ratio("failing", "good", "goodput")


@pytest.mark.parametrize(("again", "kept"), [(2, 1), (0, 0)])
def test_a_disturbed_start_is_measured_again(
    monkeypatch: pytest.MonkeyPatch, again: int, kept: int
) -> None:
    waits = []

    class Runner:
        """Its first start is disturbed."""

        def __init__(self, *asked: object) -> None:
            self.slower = 0.5

        def run(self, load: object, number: int, seed: int) -> dict[str, Any]:
            found = start(number, self.slower)
            self.slower = 0.0
            return found

    monkeypatch.setattr(race, "_Runner", Runner)
    monkeypatch.setattr(Calm, "wait", lambda self: waits.append(1))
    raced = race.run({"one": "some:app"}, starts=3, again=again, warmup=0.0)
    cell = raced.cell("one")
    assert [one["start"] for one in cell["starts"]] == [0, 1, 2]
    assert len(cell.get("disturbed", [])) == len(waits) == kept
    assert raced.ratio("one", "one").starts == 3 - (not kept)
