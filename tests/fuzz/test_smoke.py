"""A few thousand inputs for each fuzz target: that it builds, that the seeds
pass, and that nothing near them fails. `python -m tests.fuzz` goes on."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fuzz import build, seeds


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("target", build.TARGETS)
def test_smoke(target: str, tmp_path: Path) -> None:
    try:
        binary = build.compile_target(target, tmp_path)
    except build.Unbuildable as why:
        pytest.skip(str(why).splitlines()[0])
    outcome = build.run(target, binary, tmp_path, runs=5000)
    assert not outcome.failed, outcome.summary


@pytest.mark.parametrize("target", build.TARGETS)
def test_every_target_has_seeds(target: str, tmp_path: Path) -> None:
    assert seeds.write(target, tmp_path) >= 5
    assert all(path.stat().st_size > 3 for path in tmp_path.iterdir())
