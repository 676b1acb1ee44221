"""Every fault, small; see ``python -m tests.faults`` for the full size.

No timing decides a test: the figures that are times are held to their limits
by the command only.
"""

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
    missed = [f for f in figures if not f.good and not f.timed]
    assert not missed, "\n" + "\n".join(map(str, figures))
