"""Disturbed starts are measured again, so often and no oftener."""

from __future__ import annotations

from typing import Any

import pytest

from wsgibench.harness.again import Again


class Machine:
    """Disturbs the first so many starts."""

    def __init__(self, disturbed: int) -> None:
        self.disturbed = disturbed
        self.starts = 0
        self.said: list[str] = []

    def once(self) -> dict[str, Any]:
        self.starts += 1
        return {"start": 0, "number": self.starts}

    def spoilt(self, start: dict[str, Any], load: object) -> str:
        return "others" if start["number"] <= self.disturbed else ""

    def again(self, most: int, starts: int = 100) -> Again:
        return Again(
            most, starts, self.spoilt, self.said.append, calm=self.calm
        )

    def calm(self) -> None:
        self.said.append("calm")


@pytest.mark.parametrize(
    ("disturbed", "most", "counts", "kept"),
    [(0, 2, 1, 0), (1, 2, 2, 1), (9, 2, 3, 2), (9, 0, 1, 0)],
)
def test_up_to_the_stated_number(
    disturbed: int, most: int, counts: int, kept: int
) -> None:
    machine = Machine(disturbed)
    cell: dict[str, Any] = {"load": {}}
    found = machine.again(most).measure(cell, machine.once)
    assert found["number"] == machine.starts == counts
    assert len(cell.get("disturbed", [])) == kept  # nothing is lost


def test_a_machine_that_is_never_quiet_does_not_hold_the_run() -> None:
    """Half as many more as there are starts, at most."""
    machine = Machine(10**6)
    again = machine.again(2, starts=10)
    for _ in range(10):
        again.measure({"load": {}}, machine.once)
    assert machine.starts == 15
    assert machine.said[-1] == "disturbed: others"


def test_it_waits_behind_a_disturbed_start_and_only_there() -> None:
    machine = Machine(disturbed=1)
    again = machine.again(2)
    again.measure({"load": {}}, machine.once)
    again.measure({"load": {}}, machine.once)
    assert machine.said == ["disturbed, so measured again: others", "calm"]
    machine = Machine(disturbed=2)
    again = machine.again(1)
    again.measure({"load": {}}, machine.once)
    assert machine.said[2:] == ["disturbed: others"]
    again.measure({"load": {}}, machine.once)
    again.measure({"load": {}}, machine.once)
    assert machine.said[3:] == ["calm"]  # before the start that follows
