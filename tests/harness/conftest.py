"""Environments for servers that need no package: made once a session."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(scope="session", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A cache of its own, unless the user keeps one for tests."""
    if os.environ.get("WSGIBENCH_CACHE"):
        yield Path(os.environ["WSGIBENCH_CACHE"])
        return
    folder = tmp_path_factory.mktemp("cache")
    os.environ["WSGIBENCH_CACHE"] = str(folder)
    yield folder
    del os.environ["WSGIBENCH_CACHE"]
