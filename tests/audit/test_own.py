"""Our own server has every behaviour, on both bindings and in every mode."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Callable

import pytest

from tests.wire.target import Target
from wsgibench.audit import APPLICATION, run
from wsgibench.audit.wire.exchange import Address
from wsgibench.audit.wsgi import checks
from wsgibench.audit.wsgi.check import Check

MODES: dict[str, dict[str, Any]] = {
    "loop": {"threads": 0},
    "threads": {"threads": 4},
    "streamed": {"stream_body": 1},
}


class Started:
    """A Subject that is running already."""

    def __init__(self, target: Target) -> None:
        self.label = "c-uv"
        self._target = target

    def start(self) -> Address:
        return self._target.address

    def stop(self) -> None:
        pass

    def alive(self) -> bool:
        return self._target.alive

    def last_words(self) -> str:
        return self._target.log_text()[-2000:]


@pytest.fixture(scope="module", params=list(MODES))
def server(
    request: pytest.FixtureRequest, start_target: Callable[..., Any]
) -> Iterator[run.Server]:
    with start_target(APPLICATION, **MODES[request.param]) as target:
        yield run.Server(Started(target))


@pytest.mark.parametrize(
    "check",
    checks.all_checks(),
    ids=lambda check: "%s-%s" % (check.family, check.name),
)
def test_behaviour(server: run.Server, check: Check) -> None:
    finding = run.one_check(server, check)
    assert finding.right, finding
