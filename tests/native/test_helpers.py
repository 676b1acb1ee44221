"""The application's own threads may use a request (cases/helpers.py)."""

from __future__ import annotations

import pytest

from tests.native.cases import helpers
from tests.native.process import run_case


@pytest.mark.parametrize("threads", [0, 2])
@pytest.mark.parametrize("name", helpers.CASES)
def test_helpers(binding: str, name: str, threads: int) -> None:
    if name == "greenlets":
        pytest.importorskip("gevent")
    run_case(binding, "helpers", name, threads)
