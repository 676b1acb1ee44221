"""A server may be closed at any moment, by anybody (cases/closing.py)."""

from __future__ import annotations

import pytest

from tests.native.cases import closing
from tests.native.process import run_case

COMBINATIONS = [
    (name, threads)
    for name in closing.CASES
    for threads in (0, 2)
    if threads == 0 or name not in closing.LOOP_ONLY
]


@pytest.mark.parametrize(("name", "threads"), COMBINATIONS)
def test_closing(binding: str, name: str, threads: int) -> None:
    run_case(binding, "closing", name, threads)
