"""How fast the CPU is: where it is asked, and what is made of it."""

from __future__ import annotations

import os

import pytest

from wsgibench import native, verdicts
from wsgibench.harness import yardstick


def test_a_look_is_done_on_its_cpu_and_leaves_this_thread_where_it_was(
    monkeypatch: pytest.MonkeyPatch, binding: str
) -> None:
    asked = native.binding(binding).LoadGenerator
    before = os.sched_getaffinity(0)
    where = []

    class Generator:
        @staticmethod
        def yardstick() -> int:
            where.append(os.sched_getaffinity(0))
            found: int = asked.yardstick()
            return found

    class Binding:
        LoadGenerator = Generator

    monkeypatch.setattr(native, "binding", lambda: Binding)
    cpu = max(before)
    assert yardstick.look(cpu, seconds=0.0) > 0
    assert where == [{cpu}]
    assert os.sched_getaffinity(0) == before


def readings(
    monkeypatch: pytest.MonkeyPatch, *looks: float
) -> list[yardstick.Reading]:
    left = list(looks)
    monkeypatch.setattr(yardstick, "look", lambda cpu: left.pop(0))
    made = yardstick.Yardstick(None)
    return [made.read() for _ in range(len(looks) - verdicts.FEW_LOOKS)]


def test_a_look_is_held_against_the_faster_ones(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first = [500.0, 400.0, 400.0, 404.0, 600.0, 600.0, 390.0, 400.0]
    found = readings(monkeypatch, *first, 440.0)
    assert found == [yardstick.Reading(440.0, 400.0)]


def test_one_look_faster_than_all_others_makes_none_of_them_slow(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A CPU that has rested is faster for a moment (turbo)."""
    found = readings(monkeypatch, 300.0, *[400.0] * 9)
    assert found == [yardstick.Reading(400.0, 400.0)] * 2
