"""`gate --base RECORD`: what is here now against a record."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.counting import test_comparison as counting
from wsgibench import cli
from wsgibench.harness import environments, interpreters
from wsgibench.harness.counted import measure

BASE = 100_000.0


@pytest.fixture
def base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A record of what the interpreter that runs this served."""
    here = interpreters.find("python3").to_json()
    cell = {**counting.cell(BASE), "python": here}
    path = tmp_path / "base.json"
    path.write_text(json.dumps(counting.record(cell)))
    made = SimpleNamespace(versions={})
    monkeypatch.setattr(environments, "get", lambda *_: made)
    monkeypatch.setattr(measure, "counter", lambda name: name)
    return path


def gate(
    monkeypatch: pytest.MonkeyPatch, base: Path, costs: Iterator[float]
) -> tuple[int, int]:
    """(exit code, rounds)"""
    rounds = 0

    def one(*_: object, **__: object) -> dict[str, Any]:
        nonlocal rounds
        rounds += 1
        (start,) = counting.cell(next(costs), starts=1)["starts"]
        return dict(start)

    monkeypatch.setattr(measure, "measurer", lambda counter: one)
    return cli.main(["gate", "--base", str(base)]), rounds


def test_what_costs_the_same_is_counted_once(
    base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert gate(monkeypatch, base, itertools.repeat(BASE)) == (0, 1)


def test_a_loss_is_counted_again_and_stays_one(
    base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert gate(monkeypatch, base, itertools.repeat(1.01 * BASE)) == (1, 3)


def test_a_round_whose_heap_lay_badly_is_no_loss(
    base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    costs = itertools.chain([1.02 * BASE], itertools.repeat(BASE))
    assert gate(monkeypatch, base, costs) == (0, 2)


def test_a_round_whose_heap_lay_badly_hides_no_loss(
    base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    costs = iter([1.01 * BASE, 1.03 * BASE, 1.01 * BASE])
    assert gate(monkeypatch, base, costs) == (1, 3)
