"""Whether a server is right stands beside how fast it is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.stats.synthetic import race
from wsgibench.audit import SCORES, matrix
from wsgibench.audit.finding import Finding
from wsgibench.audit.record import Audit
from wsgibench.harness import audits
from wsgibench.harness.environments import Environment
from wsgibench.reports import markdown, table


def test_a_score_belongs_to_its_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WSGIBENCH_CACHE", str(tmp_path))
    here = Environment("/somewhere/bin/python", {})
    audit = Audit("x", date="2026-11-26")
    audit.findings.append(Finding("http", "f", "a", "r", "must"))
    wrong = Finding("http", "f", "b", "r", "must", "SMUGGLED", "smuggled")
    audit.findings.append(wrong)
    assert audits.find("x", here, "CPython 3.11.7") is None
    audits.keep("x", here, audit)
    assert audits.find("x", here, "CPython 3.11.7") == {
        "date": "2026-11-26",
        "right": 1,
        "of": 2,
        "worst": "http/f/b: SMUGGLED",
    }
    assert audits.find("x:threads=4", here, "CPython 3.11.7") is None
    there = Environment("/other/bin/python", {})
    assert audits.find("x", there, "CPython 3.11.7") is None


def test_without_an_audit_here_stands_that_of_the_same_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WSGIBENCH_CACHE", str(tmp_path))
    ours = [
        one
        for one in json.loads(SCORES.read_text())
        if one["server"] == "c-uv"
    ]
    assert len(ours) == 2  # CPython and PyPy
    for one in ours:
        versions = {"wsgibench": one["version"]}
        same = Environment("/somewhere/bin/python", versions)
        found = audits.find("c-uv", same, one["python"] + ".2")
        assert found is not None
        assert found["right"] == found["of"] > 1000
        assert found["elsewhere"]
    old = Environment("/somewhere/bin/python", {"waitress": "1.0"})
    assert audits.find("waitress", old, "CPython 3.11.7") is None
    made = race({"c-uv": 5.0, "null": 4.0}, seed=1)
    made["cells"][0]["audit"] = found
    assert "not audited here" in table.render(made)


def test_a_page_keeps_what_stands_around_its_table() -> None:
    page = "above\n" + matrix.BEGIN + "old\n" + matrix.END + "below\n"
    made = matrix.into(page, "new\n")
    assert made.split() == page.replace("old", "new").split()
    assert matrix.into(made, "new\n") == made
    assert matrix.into("another page", "new\n") == "new\n"


def test_tables_have_a_column_where_a_server_was_audited() -> None:
    made = race({"c-uv": 5.0, "null": 4.0}, seed=1)
    assert "right" not in table.render(made).splitlines()[0]
    made["cells"][0]["audit"] = {
        "date": "2026-11-26",
        "right": 374,
        "of": 680,
        "worst": "http/f/b: SMUGGLED",
    }
    for text in (table.render(made, 160), markdown.render(made)):
        assert " right " in text
        assert "374 of 680" in text
        assert "worst, http/f/b: SMUGGLED" in text
