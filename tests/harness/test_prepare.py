"""Environments of a whole run."""

from __future__ import annotations

from pathlib import Path

import pytest

from wsgibench.errors import WsgibenchError
from wsgibench.harness import environments, interpreters
from wsgibench.harness.environments import Environment
from wsgibench.harness.plan import Cell, Load
from wsgibench.harness.run import Run


def test_what_failed_is_not_tried_again_for_every_cell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[str] = []

    def get(interpreter: object, server: str, tell: object) -> Environment:
        tried.append(server)
        if server == "waitress":
            raise WsgibenchError("waitress is not to be had")
        return Environment("python", {})

    def libraries(*arguments: object) -> tuple[str, dict[str, str]]:
        tried.append("libraries")
        raise WsgibenchError("no flask today")

    monkeypatch.setattr(environments, "get", get)
    monkeypatch.setattr(environments, "libraries", libraries)
    load = Load(1, 1.0, 1.0, True, "minimal")
    cells = [
        Cell(server, "python3", scenario, load)
        for server in ("waitress", "wsgiref", "tornado", "tornado-loop")
        for scenario in ("hello", "flask")
    ]
    run = Run(
        cells,
        {"python3": interpreters.find("python3")},
        starts=1,
        seed=1,
        port=0,
        argv=[],
        output=tmp_path / "record.json",
        tell=lambda text: None,
    )
    ready = run._prepare(run.possible())
    assert {cell.scenario for cell in ready} == {"hello"}
    # Each once: the two Tornados are of one package.
    assert sorted(tried) == ["libraries", "tornado", "waitress", "wsgiref"]
    reasons = [failure["reason"] for failure in run.record["failures"]]
    assert reasons.count("waitress is not to be had") == 2
    assert reasons.count("no flask today") == 2
