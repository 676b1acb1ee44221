"""What a scenario expects is what its application answers."""

from __future__ import annotations

import importlib
import sys
from typing import Any

import pytest

from wsgibench import plugins
from wsgibench.errors import UsageError
from wsgibench.harness import scenario

NAMES = list(scenario.rows())
ALONE = [name for name in NAMES if not scenario.find(name).services]


def test_the_published_cases_are_all_there() -> None:
    asked = """hello raw flask werkzeug sleep sleep-async sleep-async-split
    network-near network-far network-https network-https-xml file redis
    triples triples-two triples-many triples-pycurl database-sqlite
    database-postgres cpu request concurrent-requests"""
    assert set(asked.split()) <= set(NAMES)


@pytest.fixture
def build(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(plugins.PACKAGE / "target"))
    for name in list(sys.modules):
        if name.partition(".")[0] == "wsgibench_target":
            monkeypatch.delitem(sys.modules, name)
    return importlib.import_module("wsgibench_target.build")


@pytest.mark.parametrize("name", ALONE)
def test_the_answer_is_the_expected_one(build: Any, name: str) -> None:
    asked = scenario.find(name)
    _, work = build.work({"app": asked.app})
    assert work.run() == asked.body
    if work.splits:
        assert "split" in asked.speaks
        *waits, body = list(work.steps())
        assert body == asked.body
        assert waits
        delay = asked.delay if "sleep" in name else 0
        assert sum(waits) == pytest.approx(delay)


@pytest.mark.parametrize("name", NAMES)
def test_services_and_frameworks_exist(name: str) -> None:
    asked = scenario.find(name)
    for service in asked.services:
        plugins.check("services", service, "service")
    if asked.services and not asked.requires:
        # Its application has to live with the standard library.
        assert name.startswith("triples")


def test_a_framework_by_name() -> None:
    asked = scenario.find("sleep+flask")
    assert (asked.framework, asked.requires) == ("flask", ("flask",))
    assert asked.body == scenario.find("sleep").body
    with pytest.raises(UsageError, match="no framework 'django'"):
        scenario.find("sleep+django")
    with pytest.raises(UsageError, match="flask has its framework"):
        scenario.find("flask+werkzeug")
