"""Every field of a record, left out or of another type: a report, a sentence
at the door, and never a traceback."""

from __future__ import annotations

import contextlib
import copy
import io
import itertools
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.counting import test_comparison as counting
from tests.reports import test_search_pages as searches
from tests.stats import synthetic
from tests.stats.test_machine import start as whole_start
from wsgibench import cli, plugins
from wsgibench.harness import checking, record
from wsgibench.stats import bootstrap
from wsgibench.typed import Wrong

DOUBT = {
    "code": "wrong-answers",
    "level": "SUSPECT",
    "numbers": ["goodput"],
    "what": "2 of 3",
    "remedy": "mend it",
}
TIMES = synthetic.times({5000: 2000})


def start_of(block: int) -> dict[str, Any]:
    """With all that a start may have."""
    found = whole_start(block=block, windows=3)
    load = found["load"]
    for window in load["windows"]:
        window["response"] = window["service"]
        answered = {"ok": window["ok"]}
        window["routes"] = {
            "/": {"classes": answered, "response": window["service"]}
        }
    load["drain"] = {"service": TIMES["hdr"], "routes": {}}
    load["censored"] = synthetic.times({6000: 3})
    load["doubts"] = [DOUBT]
    load["routes"] = {
        "/": {
            "classes": load["classes"],
            "response": TIMES,
            "censored": load["censored"],
        }
    }
    load["connections"]["resent"] = 1
    for sample in found["usage"]:
        sample["system_ns"] = 0
    found.update(
        warmup={"seconds": 0.1, "steady": True},
        listener_drops=1,
        energy_uj=5e6,
        answers={
            "checked": 2,
            "of": 2,
            "differences": [{"request": "GET /", "what": "another body"}],
        },
    )
    found["target"].update(gil=True, settings={"a": 1}, observed={"b": "c"})
    return found


def application() -> dict[str, Any]:
    cells = [
        synthetic.cell(
            server,
            [start_of(block) for block in (0, 1)],
            load={"rate": 50.0 if server == "c-uv" else 0.0},
            audit={
                "right": 1,
                "of": 2,
                "worst": "w",
                "elsewhere": True,
                "date": "2026-01-01",
            },
            versions={"a": "1"},
        )
        for server in ("c-uv", "null")
    ]
    cells[0]["disturbed"] = []
    alone = {
        **{"calls": 10, "cpu_ns": 5e4, "wall_ns": 9e4},
        **{"user_ns": 4e4, "system_ns": 1e4, "queue_ns": 10},
        "routes": {"/": [10, 5e4, 9e4]},
        "yardstick": [{"now_us": 400.0, "usual_us": 400.0, "cpu": 0}],
    }
    python = cells[0]["python"]
    failure = {"cell": "a", "reason": "b", "server": "c-uv"}
    return synthetic.record(
        cells,
        cwd="/tmp",
        commit="abc",
        failures=[failure],
        skipped=[failure],
        prices={"cpu": 1.0, "memory": 1.0, "rate": 1.0, "source": "s"},
        application={"target": "a:b", "routes": {"/": 1.0}},
        baselines=[
            {
                "python": python,
                "remarks": ["r"],
                "starts": [{"start": n, **alone} for n in (0, 1)],
                "stable": 0.9,
                "checked_under_load": {"body": 1, "length": 0, "status": 0},
            }
        ],
    )


def suite() -> dict[str, Any]:
    found = application()
    for name in ("application", "baselines"):
        del found[name]
    cell = found["cells"][0]
    cell["load"].update(name="one", requests=3, discard=1)
    swept = copy.deepcopy(cell)
    swept["load"]["name"] = "many"
    found["cells"] = [cell, swept]
    side = {"load": "one", "scenario": "hello", "server": "c-uv"}
    found["suite"] = {
        "name": "s",
        "about": "a",
        "source": "b",
        "loads": {"one": {"connections": 64}, "many": {"sweep": [64, 65]}},
        "matrix": [
            {
                "servers": ["c-uv", "null"],
                "scenarios": ["hello"],
                "loads": ["one", "many"],
            }
        ],
        "published": [{**side, "python": "2.7", "value": 1.0}],
        "concluded": [
            {
                "text": "t",
                "load": "one",
                "scenario": "hello",
                "each": ["c-uv"],
                "at_least": 1.0,
                "at_most": 2.0,
                "first": side,
                "second": {**side, "connections": 64, "python": "CPython"},
            }
        ],
    }
    return found


GOOD: dict[str, dict[str, Any]] = {
    kind: json.loads(json.dumps(made))  # as a file has it
    for kind, made in {
        "application": application(),
        "suite": suite(),
        "counted": counting.record(counting.cell(100.0)),
        "capacity": searches.of_capacity(),
        "size": searches.of_size(),
    }.items()
}
WRONG: list[Any] = [
    *(None, True, -1, 0, 5, 0.5, 2**62, 5e-324, "", "x", "[/x]"),
    *([], [1], [[]], [None], {}, {"a": 1}, {"a": None}),
]


#: One in so many of the changes is tried, or they take minutes; a prime, so
#: that each field has other ones. WSGIBENCH_FUZZ_STEP=1 tries all.
STEPS = {"application": 13, "suite": 13}


def places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Of the lists only the first value: the others are like it."""
    if at:
        yield at
    if isinstance(value, dict):
        for key, one in value.items():
            yield from places(one, (*at, key))
    elif isinstance(value, list) and value:
        yield from places(value[0], (*at, 0))


def changes(good: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """(what was done, the record): each field left out, and as each wrong
    value, one at a time. They are made in place and taken back."""
    for where in list(places(good)):
        holder: Any = good
        for key in where[:-1]:
            holder = holder[key]
        last, old = where[-1], holder[where[-1]]
        name = ".".join(map(str, where))
        if isinstance(holder, dict):
            kept = dict(holder)
            del holder[last]
            yield name + " left out", good
            holder.clear()
            holder.update(kept)
        for value in WRONG:
            if value != old or type(value) is not type(old):
                holder[last] = copy.deepcopy(value)
                yield "%s = %r" % (name, value), good
        holder[last] = old


def passes(changed: dict[str, Any]) -> bool:
    """record.read() renames fields and closes the door on what is wrong."""
    try:
        checking.checked(changed)
    except Wrong:
        return False
    return True


def commands(kind: str, file: Path, good: Path) -> list[list[str]]:
    found = [
        ["report", str(file), "--format", form]
        for form in plugins.names("reports")
    ]
    if kind in ("application", "suite", "counted"):
        found.append(["compare", str(good), str(file), "--force"])
        found.append(["history", str(file.parent)])
    return found


@pytest.mark.parametrize("kind", GOOD)
def test_no_field_of_a_record_ends_in_a_traceback(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Changes that pass the door are shown, each in the next of the
    commands."""
    monkeypatch.setattr(bootstrap, "NOISE_DRAWS", 8)  # 400 take 10 s of CPU
    parser = cli.build_parser()
    monkeypatch.setattr(cli, "build_parser", lambda: parser)
    file, good = tmp_path / "changed.json", tmp_path / "good.json"
    record.write(GOOD[kind], good)
    every = commands(kind, file, good)
    wrong, passed, refused = [], 0, 0
    every_change = changes(copy.deepcopy(GOOD[kind]))
    step = int(os.environ.get("WSGIBENCH_FUZZ_STEP", STEPS.get(kind, 1)))
    for what, changed in itertools.islice(every_change, 0, None, step):
        if not passes(changed):
            refused += 1
            continue
        file.write_text(json.dumps(changed))
        command = every[passed % len(every)]
        passed += 1
        said = io.StringIO()
        try:
            with contextlib.redirect_stderr(said):
                with contextlib.redirect_stdout(io.StringIO()):
                    code = cli.main(command)
        except Exception as error:
            wrong.append("%s: %s: %r" % (what, command[-1], error))
            continue
        if code == 2 and not said.getvalue().endswith(".\n"):
            wrong.append("%s: %s" % (what, said.getvalue()))
        assert code in (0, 1, 2)  # 1: compare finds B slower
    assert wrong == []
    assert passed > 40
    assert refused > 100


CELL = ("cells", 0)
LOAD = (*CELL, "starts", 0, "load")
ROUTE = (*LOAD, "routes", "/")
WINDOW_ROUTE = (*LOAD, "windows", 2, "routes", "/")
BASE = ("baselines", 0)
LEFT_OUT = object()


@pytest.mark.parametrize(
    ("where", "value", "words"),
    [
        ((*LOAD, "censored"), {"count": 5}, "times without a histogram"),
        ((*LOAD, "censored", "hdr"), "zz", "histogram of the record cannot"),
        ((*LOAD, "windows", 1, "response"), 5, "response must be text"),
        ((*LOAD, "duration_ns"), LEFT_OUT, "has no duration_ns"),
        (("cwd",), 5, "record.cwd must be text"),
        (("cwd",), ["/"], "record.cwd must be text"),
        ((*CELL, "audit", "date"), {}, "date must be text"),
        ((*CELL, "audit", "elsewhere"), 1, "elsewhere must be true or"),
        ((*ROUTE, "censored"), {"count": 5}, "times without a histogram"),
        ((*WINDOW_ROUTE, "response"), "zz", "histogram of the record cannot"),
        ((*ROUTE, "classes"), {}, "classes of '/' have no ok"),
        ((*BASE, "checked_under_load"), {"x": 1}, "has no body"),
        ((*BASE, "stable"), LEFT_OUT, "has no stable"),
        ((*CELL, "starts", 0, "usage", 0, "system_ns"), "", "be a number"),
    ],
)
def test_where_it_is_wrong_is_said(
    where: tuple[Any, ...],
    value: Any,
    words: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    changed = copy.deepcopy(GOOD["application"])
    holder: Any = changed
    for key in where[:-1]:
        holder = holder[key]
    if value is LEFT_OUT:
        del holder[where[-1]]
    else:
        holder[where[-1]] = value
    file = tmp_path / "record.json"
    file.write_text(json.dumps(changed))
    assert cli.main(["report", str(file), "--format", "html"]) == 2
    said = capsys.readouterr().err
    assert words in said
    assert said.count("\n") == 1
