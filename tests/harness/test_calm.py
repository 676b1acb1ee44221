"""How long a run waits for its CPU, by a clock that the test owns."""

from __future__ import annotations

import math

import pytest

from wsgibench.harness import calm, yardstick
from wsgibench.harness.calm import Calm


class Machine:
    """Its CPU is slower while a neighbour works, until that many seconds."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, until: float) -> None:
        self.now = 0.0
        self.until = 0.0
        self.said: list[str] = []
        monkeypatch.setattr(calm, "time", self)
        stick = yardstick.Yardstick(None)
        monkeypatch.setattr(yardstick, "look", self.look)
        monkeypatch.setattr(yardstick, "of", lambda cpu: stick)
        self.looks = stick.looks()
        self.now, self.until = 0.0, until

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def look(self, cpu: int | None) -> float:
        self.now += yardstick.LOOK
        return 500.0 if self.now < self.until else 400.0

    def calm(self, most: float) -> Calm:
        return Calm(None, self.said.append, lambda: most)


def test_it_waits_until_the_cpu_is_as_fast_as_usual(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    machine = Machine(monkeypatch, until=20.0)
    before = list(machine.looks)
    made = machine.calm(600.0)
    made.wait()
    assert 20.0 < made.waited < 22.0
    assert machine.said == [
        "waiting for the server's CPU to be as fast as usual, for at most "
        "1 min 00 s"
    ]
    assert machine.looks == before  # what is usual is not what it waits for


def test_it_says_nothing_where_there_is_nothing_to_wait_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    machine = Machine(monkeypatch, until=0.0)
    made = machine.calm(600.0)
    made.wait()
    assert made.waited < 1.0
    assert machine.said == []


def test_one_fast_look_is_not_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(monkeypatch, until=0.0)
    looks = iter([500.0, 400.0, 500.0, *[400.0] * calm.LOOKS])
    monkeypatch.setattr(yardstick, "look", lambda cpu: next(looks))
    machine.calm(600.0).wait()
    assert next(looks, None) is None


@pytest.mark.parametrize("most", [0.0, 2.0, 30.0, 90.0])
def test_all_waits_together_have_their_limit(
    monkeypatch: pytest.MonkeyPatch, most: float
) -> None:
    machine = Machine(monkeypatch, until=math.inf)
    made = machine.calm(most)
    for _ in range(10):
        before = made.waited
        made.wait()
        assert made.waited - before < calm.LONGEST + 1
    assert most <= made.waited < most + 1
