"""The target's folder is on the path by itself in a process under test; here
it is put there for the tests."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from wsgibench import plugins

FOLDER = str(plugins.PACKAGE / "target")


@pytest.fixture(autouse=True)
def target_path(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    before = set(sys.modules)
    monkeypatch.syspath_prepend(FOLDER)
    yield
    for name in set(sys.modules) - before:
        if name.partition(".")[0] == "wsgibench_target":
            del sys.modules[name]
