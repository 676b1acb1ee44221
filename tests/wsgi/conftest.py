from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Callable

import pytest

from tests.wire.target import Target
from tests.wsgi.client import Client

MODES: dict[str, dict[str, Any]] = {
    "loop": {"threads": 0},
    "threads": {"threads": 4},
    "streamed": {"threads": 0, "stream_body": 1},
}


@pytest.fixture(scope="package", params=list(MODES))
def target(
    request: pytest.FixtureRequest, start_target: Callable[..., Any]
) -> Iterator[Target]:
    settings = {"write_timeout": 6, **MODES[request.param]}
    with start_target("tests.wsgi.app:application", **settings) as started:
        started.mode = request.param
        yield started
        assert started.alive, started.log_text()[-3000:]


@pytest.fixture
def client(target: Target) -> Iterator[Client]:
    client = Client(target)
    client.clear()
    yield client
    assert target.alive, "the server died\n" + target.log_text()[-3000:]
