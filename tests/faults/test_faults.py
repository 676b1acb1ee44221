"""Every fault, small; see ``python -m tests.faults`` for the full size."""

from __future__ import annotations

from typing import Any, Callable

import pytest

from tests.faults import case


@pytest.mark.parametrize("name", case.names())
@pytest.mark.timeout(300)
def test_fault(name: str, start_target: Callable[..., Any]) -> None:
    module = case.load(name)
    if module.SMALL is None:
        pytest.skip("what it needs is not installed")
    figures = list(module.run(start_target, **module.SMALL))
    assert figures
    missed = [figure for figure in figures if not figure.good]
    assert not missed, "\n" + "\n".join(map(str, figures))
