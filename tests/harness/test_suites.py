"""The suites, and their table: ours beside the published numbers."""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.stats import synthetic
from wsgibench.commands import run
from wsgibench.commands._exit_codes import DISTURBED, FAILED
from wsgibench.errors import UsageError
from wsgibench.harness import scenario, servers, suite
from wsgibench.reports import _concluded, _sweep
from wsgibench.reports import suite as table
from wsgibench.verdicts import (
    CPU,
    GOODPUT,
    INVALID,
    NUMBERS,
    SUSPECT,
    VALID,
    doubt,
)

NAMES = suite.names()
NO_WARMUP = {"python3": 1.0, "pypy3": 4.0}


def test_all_five_are_there() -> None:
    assert set(NAMES) >= {
        *("framewut", "long-running-task", "pypy-survey", "syncless"),
        "tornado-vs-gevent",
    }


@pytest.mark.parametrize("name", NAMES)
def test_every_name_in_a_suite_has_a_meaning(name: str) -> None:
    read = suite.read(name)
    cells = suite.cells(read, read.pythons, duration=1, warmup=NO_WARMUP)
    assert cells
    for cell in cells:
        servers.find(cell.server)
        scenario.find(cell.scenario)
    assert {"quick", "standard", "paper"} <= set(read.data["profiles"])


@pytest.mark.parametrize("name", NAMES)
def test_every_published_number_has_its_row(name: str) -> None:
    read = suite.read(name)
    keys = table._keys(read.to_json())
    rows = {key[:3] for key in keys}
    for number in read.published:
        key = (number["scenario"], number["server"], number["load"])
        assert key in rows


def test_the_published_numbers_of_the_survey() -> None:
    """Spot checks against the text they were taken from."""
    survey = suite.read("pypy-survey").published
    values = {(n["python"], n["server"]): n["value"] for n in survey}
    assert values["CPython 2.7.3", "gunicorn-sync"] == 3700
    assert values["PyPy 2.0b2", "twisted-web"] == 8300
    assert len(values) == 12
    syncless = suite.read("syncless").published
    assert len(syncless) == 20
    assert sum(number["value"] for number in syncless) == (
        3446 + 2778 + 2856 + 2518 + 1592 + 1235 + 1019 + 963 + 4385 + 2787
    ) + (1858 + 1443 + 4371 + 3451 + 8314 + 4250 + 4282 + 2836 + 3229 + 2287)


def test_who_made_fewer_requests_says_so() -> None:
    start = {"load": {"classes": {"ok": 1434}}}
    python = {"implementation": "PyPy", "version": "3.9"}
    cell = {"python": python, "load": {"requests": 120000}, "starts": [start]}
    assert "1434 of 120000 requests" in table._fewer(cell)
    start["load"]["classes"]["ok"] = 120000
    assert table._fewer(cell) == ""


def test_loads_are_those_of_the_original() -> None:
    loads = suite.read("syncless").data["loads"]
    assert loads["parallel"]["connections"] == 100
    assert loads["parallel"]["requests"] == 100000
    assert loads["parallel"]["keepalive"] is False
    assert loads["parallel"]["backlog"] == 128
    assert loads["parallel"]["http10"] is True
    assert loads["sequential"]["path"] == "/{seq}"
    assert loads["sweep"]["sweep"] == [2**n for n in range(17)]
    survey = suite.read("pypy-survey").data["loads"]["survey"]
    assert survey["connections"] == 4 * 10
    assert (survey["requests"], survey["discard"]) == (120000, 30000)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("about = 1\nabout = 2", "Cannot overwrite"),
        ("about = ''", "a suite needs loads"),
        ("colour = 'red'", "a suite has no colour"),
        (
            "about = ''\nmatrix = []\n[loads.a]\ntool = 'wrk9'",
            "there is no tool 'wrk9'",
        ),
        (
            "about = ''\nmatrix = []\nloads.x.speed = 1",
            "load x has no speed",
        ),
    ],
)
def test_a_slip_in_a_file_is_not_passed_over(
    tmp_path: Path, text: str, sentence: str
) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(text)
    with pytest.raises(UsageError, match=sentence):
        suite.read(str(path))


def test_a_row_without_a_number_says_why() -> None:
    asked = {
        "name": "mine",
        "about": "a suite",
        "loads": {"one": {"connections": 7}},
        "matrix": [{"servers": ["a", "b"], "scenarios": ["hello"]}],
        "published": [
            {
                "python": "Old 1",
                "load": "one",
                "scenario": "hello",
                "server": "b",
                "value": 123,
            }
        ],
    }
    hole = {"scenario": "hello", "server": "b", "load": "one"}
    hole["connections"] = 7  # type: ignore[assignment]
    record = {
        "suite": asked,
        "cells": [],
        "skipped": [dict(hole, reason="b is not of this world.")],
        "failures": [],
    }
    text = table.render(record)
    rows = [line.split() for line in text.splitlines()]
    (row,) = [row for row in rows if row[:2] == ["hello", "b"]]
    assert row[2:] == ["one", "7", "123", "[2]"]
    assert "[1] the run ended before it" in text.splitlines()
    assert "[2] b is not of this world." in text.splitlines()


def test_a_sweep_has_a_column_a_server_and_its_reasons_once() -> None:
    asked = {
        "name": "mine",
        "about": "a suite",
        "loads": {"wide": {"sweep": [1, 2, 4]}},
        "matrix": [{"servers": ["a"], "scenarios": ["hello"]}],
    }
    hole = {"scenario": "hello", "server": "a", "load": "wide"}
    holes = [
        dict(hole, connections=count, reason="too many.") for count in (2, 4)
    ]
    record = {"suite": asked, "cells": [], "skipped": holes, "failures": []}
    text = table.render(record)
    assert text.count("too many.") == 1
    assert "* a at 2, 4: too many." in text.splitlines()


@pytest.mark.parametrize(
    ("value", "bar"), [(None, " "), (1000.0, "█"), (1.0, "▁"), (0.1, "▁")]
)
def test_bars_are_of_three_decades(value: float | None, bar: str) -> None:
    assert _sweep.bar(value, 1000.0) == bar


def dry_run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "wsgibench", "run", "--dry-run", *arguments],
        capture_output=True,
        text=True,
    )


def test_servers_and_scenarios_narrow_a_suite() -> None:
    done = dry_run(
        "--suite=tornado-vs-gevent",
        "--server=c-uv,gevent",
        "--scenario=hello",
        "--python=python3",
    )
    assert done.returncode == 0, done.stderr
    planned = [line for line in done.stdout.splitlines() if " x " in line]
    assert planned
    for line in planned:
        assert line.split(" x ")[1].startswith(("c-uv on", "gevent on"))
        assert ", hello, " in line


@pytest.mark.parametrize(
    ("argument", "words"),
    [
        ("--server=nginx", "suite framewut has no server nginx; it has: "),
        ("--scenario=raw", "suite framewut has no scenario raw"),
        ("--rate=50", "--rate does not go with --suite"),
        ("--headers=browser", "--headers does not go with --suite"),
        ("--no-keepalive", "--no-keepalive does not go with --suite"),
        ("--warmup=3", "--warmup does not go with --suite"),
    ],
)
def test_what_a_suite_would_not_obey_is_refused(
    argument: str, words: str
) -> None:
    done = dry_run("--suite=framewut", argument)
    assert done.returncode == 2
    assert words in done.stderr
    assert done.stderr.count("\n") == 1


def measured(
    goodput: float, verdict: str = VALID, cpu: float = 0.0
) -> dict[str, Any]:
    return {
        "goodput": goodput,
        "server_cpu_us": cpu,
        "verdicts": {GOODPUT: verdict, CPU: VALID if cpu else INVALID},
        "client_limited": verdict == SUSPECT,
        "doubts": [{"code": "machine-busy", "level": verdict}],
    }


@pytest.mark.parametrize(
    ("first", "second", "words"),
    [
        (measured(10), measured(2), '"a is fast" still holds: 10 and 2 req'),
        (measured(2), measured(10), '"a is fast" holds no longer: 2 and 10 '),
        (measured(2, SUSPECT), measured(10), "cannot be told: >=2 and 10 "),
        (measured(20, SUSPECT), measured(10), "still holds: >=20 and 10 "),
        (measured(20), measured(10, SUSPECT), "cannot be told: 20 and >=10"),
        (
            measured(2, SUSPECT, cpu=5.0),
            measured(10, cpu=10.0),
            "still holds: >=2 and 10 requests/s, 0.2 times; by the server "
            "CPU of a request, 5 and 10 us, 2 times, from one start.",
        ),
        (
            measured(2, SUSPECT, cpu=8.0),
            measured(10, cpu=10.0),
            "holds no longer: >=2 and 10 requests/s, 0.2 times; by ",
        ),
        (
            measured(20, INVALID),
            measured(10),
            "cannot be told: a on hello has no number (machine-busy).",
        ),
    ],
)
def test_what_the_original_concluded_is_held_against_our_numbers(
    first: dict[str, Any], second: dict[str, Any], words: str
) -> None:
    conclusion = {
        "text": "a is fast",
        "load": "one",
        "scenario": "hello",
        "first": {"server": "a"},
        "second": {"server": "b"},
        "at_least": 1.5,
    }
    rows = {
        ("hello", server, "one", 7): {
            "ours": {"CPython 3": row},
            "cells": {"CPython 3": synthetic.cell(server, [])},
            "why": "",
        }
        for server, row in (("a", first), ("b", second))
    }
    record = {"suite": {"concluded": [conclusion]}}
    (line,) = _concluded.lines(record, rows)
    assert words in line
    assert _concluded.lines(record, {}) == []  # nobody asked for them


@pytest.mark.parametrize(
    ("ratio", "starts", "words"),
    [
        (1.6, 3, '"a is fast" cannot be told: '),
        (1.4, 3, '"a is fast" cannot be told: '),
        (3.0, 10, '"a is fast" still holds: '),
        (1.0, 10, '"a is fast" holds no longer: '),
        (1.6, 1, "from one start."),
    ],
)
def test_a_conclusion_is_as_sure_as_its_ratio(
    ratio: float, starts: int, words: str
) -> None:
    """Starts of each server differ by 10 %, the bound is 1.5."""
    raced = synthetic.race(
        {"a": 10.0, "b": 10.0 * ratio}, seed=1, starts=starts, between=0.1
    )
    for cell in raced["cells"]:
        cell["load"]["name"] = "one"
    conclusion = {
        **{"text": "a is fast", "load": "one", "scenario": "hello"},
        **{"first": {"server": "a"}, "second": {"server": "b"}},
        "at_least": 1.5,
    }
    raced["suite"] = {"concluded": [conclusion], "loads": {}, "matrix": []}
    (line,) = table.concluded(raced)
    assert words in line


@pytest.mark.parametrize("name", NAMES)
def test_every_conclusion_is_about_rows_of_its_suite(name: str) -> None:
    read = suite.read(name).to_json()
    rows = {key: {"ours": {}, "why": ""} for key in table._keys(read)}
    assert read["concluded"]
    for one in read["concluded"]:
        for server in one.get("each", [""]):
            for side in _concluded._sides(one, server):
                assert _concluded._of(side, rows), (one["text"], side)


def test_what_more_interpreters_are_for() -> None:
    """Those beside the first are for servers that run on nothing else."""
    read = suite.read("syncless")
    cells = suite.cells(
        read, ["python3", "2.7"], duration=1, warmup={"python3": 1, "2.7": 1}
    )
    old = {cell.server for cell in cells if cell.python == "2.7"}
    assert {"syncless", "concurrence-wsgi-greenlet"} <= old
    assert "gevent" not in old


def with_doubt(code: str) -> dict[str, Any]:
    start = synthetic.start([9000] * 40, [90_000.0] * 40)
    start["load"]["doubts"] = [doubt(code, INVALID, NUMBERS, "so", "")]
    return synthetic.record([synthetic.cell("peer", [start])])


def test_requests_that_a_server_fails_are_a_result_of_a_suite() -> None:
    failing, silent = map(with_doubt, ("failures", "no-answers"))
    asked = argparse.Namespace(accept_disturbed=False)
    assert run.exit_code(failing, asked) == FAILED
    assert run.exit_code({**failing, "suite": {}}, asked) == 0
    assert run.exit_code({**silent, "suite": {}}, asked) == FAILED


def test_a_machine_that_disturbs_is_no_failure_of_a_run() -> None:
    disturbed, silent = map(with_doubt, ("machine-busy", "no-answers"))
    strict = argparse.Namespace(accept_disturbed=False)
    accepting = argparse.Namespace(accept_disturbed=True)
    assert run.exit_code(disturbed, strict) == DISTURBED
    assert run.exit_code(disturbed, accepting) == 0
    both = {**silent, "cells": disturbed["cells"] + silent["cells"]}
    assert run.exit_code(both, strict) == FAILED
    assert run.exit_code(both, accepting) == FAILED
