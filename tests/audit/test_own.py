"""Our own server is right in all that is asked, on both bindings."""

from __future__ import annotations

from typing import Any, Callable

import pytest

from tests.wire.target import Target
from wsgibench.audit import APPLICATION, run
from wsgibench.audit.faults import families
from wsgibench.audit.record import describe
from wsgibench.audit.wire.exchange import Address
from wsgibench.audit.wsgi import checks

MODES: dict[str, dict[str, Any]] = {
    "loop": {"threads": 0},
    "threads": {"threads": 4},
    "streamed": {"stream_body": 1},
}


class Started:
    """A Subject that is running already."""

    parser = ""

    def __init__(self, target: Target) -> None:
        self.label = "c-uv"
        self.pid = 0
        self._target = target

    def start(self) -> Address:
        return self._target.address

    def stop(self) -> None:
        pass

    def close(self) -> None:
        pass

    def alive(self) -> bool:
        return self._target.alive

    def last_words(self) -> str:
        return self._target.log_text()[-2000:]


def silent(text: str) -> None:
    pass


@pytest.mark.parametrize("mode", MODES)
def test_every_behaviour(mode: str, start_target: Callable[..., Any]) -> None:
    with start_target(APPLICATION, **MODES[mode]) as target:
        server = run.Server(Started(target))
        found = [run.one_check(server, one) for one in checks.all_checks()]
    wrong = [describe(finding) for finding in found if not finding.right]
    assert not wrong, "\n".join(wrong)


def test_every_fault(start_target: Callable[..., Any]) -> None:
    """Those of the processes are in test_command.py."""
    with start_target(APPLICATION, threads=4) as target:
        server = run.Server(Started(target))
        found = list(run.faults(server, families.all_faults(), silent))
    wrong = [describe(finding) for finding in found if not finding.right]
    assert not wrong, "\n".join(wrong)
    assert len(found) > 25
