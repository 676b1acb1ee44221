from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable

import pytest

from tests.wire.target import Target

MODES: dict[str, dict[str, Any]] = {
    "loop": {"threads": 0},
    "threads": {"threads": 4},
}
FRAMEWORKS = ("bottle", "django", "falcon", "flask", "werkzeug")


@pytest.fixture(scope="session")
def data_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """3 MB and a bit: more than any buffer on the way."""
    path = tmp_path_factory.mktemp("frameworks") / "data.bin"
    path.write_bytes(os.urandom(3_000_017))
    return path


@pytest.fixture(scope="session", params=list(MODES))
def mode(request: pytest.FixtureRequest) -> dict[str, Any]:
    return MODES[request.param]


@pytest.fixture(scope="session")
def start_framework(
    start_target: Callable[..., Any], data_file: Path
) -> Callable[..., Any]:
    """start_framework(name, **settings): a context manager."""

    def start(name: str, **settings: Any) -> Any:
        # Where it cannot be installed there is nothing to test.
        pytest.importorskip(name)
        return start_target(
            "tests.frameworks.apps.%s:app" % name,
            environment={"WSGIBENCH_TEST_DATA": str(data_file)},
            **settings,
        )

    return start


@pytest.fixture(scope="session", params=FRAMEWORKS)
def framework(
    request: pytest.FixtureRequest,
    mode: dict[str, Any],
    start_framework: Callable[..., Any],
) -> Iterator[Target]:
    with start_framework(request.param, **mode) as target:
        yield target
        assert target.alive, target.log_text()[-3000:]
