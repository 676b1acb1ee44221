"""A service that dies in mid-run: the cell is INVALID and says why, the rest
finishes, and the service is there again for whoever needs it next."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from wsgibench.errors import WsgibenchError
from wsgibench.harness import (
    environments,
    generator,
    interpreters,
    scenario,
)
from wsgibench.harness.plan import Cell, Load
from wsgibench.harness.run import Run
from wsgibench.harness.services import Services
from wsgibench.services import redis


def kill_first(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Redis dies when the first load begins; the commands of all loads."""
    loads: list[str] = []
    running: list[Services] = []
    real_load = generator.generate
    real_enter = Services.__enter__

    def enter(self: Services) -> Services:
        running.append(self)
        return real_enter(self)

    def load(*arguments: Any, **options: Any) -> dict[str, Any]:
        service = running[0]._running.get("redis")
        if service is not None and not loads:
            os.kill(service.pid, signal.SIGKILL)
            service._process.wait(60)
            loads.append("killed")
        return real_load(*arguments, **options)

    monkeypatch.setattr(Services, "__enter__", enter)
    monkeypatch.setattr(generator, "generate", load)
    return loads


def test_the_rest_finishes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if redis.missing():
        pytest.skip(redis.missing())
    python = interpreters.find("python3")
    requires = scenario.find("redis").requires
    try:
        environments.libraries(python, requires, lambda text: None)
    except WsgibenchError as error:
        pytest.skip(str(error))
    killed = kill_first(monkeypatch)
    load = Load(2, 0.5, 0.1, True, "minimal")
    cells = [
        Cell("wsgiref", "python3", name, load) for name in ("redis", "hello")
    ]
    record = Run(
        cells,
        {"python3": python},
        starts=2,
        seed=1,
        port=0,
        argv=[],
        output=tmp_path / "record.json",
        tell=lambda text: None,
    ).execute()
    assert killed
    assert record["complete"]
    assert record["failures"] == []
    by_name = {cell["scenario"]: cell["starts"] for cell in record["cells"]}
    broken, well = by_name["redis"]
    assert broken["load"]["verdict"] == "INVALID"
    reason = broken["load"]["reasons"][0]
    assert reason.startswith("the service redis died (exit -9)")
    assert well["load"]["verdict"] != "INVALID", well["load"]["reasons"]
    for start in by_name["hello"]:
        assert start["load"]["classes"]["ok"] > 0
