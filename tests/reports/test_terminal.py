"""Tables for the terminal: text of others is no markup, numbers stay whole."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import pytest

from tests.counting import test_comparison as counting
from tests.harness.test_record import made
from tests.stats import synthetic
from wsgibench import cli
from wsgibench.reports import _terminal, counted, table
from wsgibench.reports._terminal import NAME, NUMBER, TEXT

COLUMNS = [
    *_terminal.columns(NAME, "server"),
    *_terminal.columns(TEXT, "load"),
    *_terminal.columns(NUMBER, "requests/s", "server CPU us"),
    *_terminal.columns(TEXT, "verdict"),
]
ROW = ["a-server", "some words more", "123456", "13.4..17.1", "one two three"]


def test_what_fits_has_a_line_a_row() -> None:
    head, row = _terminal.table(COLUMNS, [ROW], 100).splitlines()
    assert " ".join(head.split()).endswith("requests/s server CPU us verdict")
    assert all(cell in row for cell in ROW)


@pytest.mark.parametrize("width", [1, 20, 40, 52, 60])
def test_numbers_and_short_names_are_never_broken(width: int) -> None:
    shown = _terminal.table(COLUMNS, [ROW], width)
    for whole in ("a-server", "123456", "13.4..17.1", "requests/s"):
        assert whole in shown
    assert set("".join(ROW[1] + ROW[4])) <= set(shown)
    assert "…" not in shown


def test_a_long_name_is_broken_and_not_cut() -> None:
    name = "n" * 300
    shown = _terminal.table(COLUMNS, [[name, *ROW[1:]]], 80)
    assert shown.count("n") >= 300
    assert max(map(len, shown.splitlines())) <= 80
    assert "13.4..17.1" in shown


def test_nothing_is_markup() -> None:
    for text in ("[/x]", "[red]a[/red]", ":smile:", "[link=x]"):
        shown = _terminal.table(COLUMNS, [[text, *ROW[1:]]], 100)
        assert text in shown
        titled = _terminal.table(_terminal.columns(NUMBER, text), [["1"]], 100)
        assert text in titled


MARKED = "[/x] [bold]b"


def test_no_command_takes_names_for_markup(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    timed = made()
    counts = counting.record(counting.cell(100.0))
    for record in (timed, counts):
        for cell in record["cells"]:
            cell["server"] = cell["name"] = MARKED
    timed["cells"] = timed["cells"][:1]
    assert MARKED in table.render(timed)
    assert MARKED in counted.render(counts)
    for name, record in (("timed", timed), ("counted", counts)):
        folder = tmp_path / name
        folder.mkdir()
        for number in ("1", "2"):
            (folder / (number + ".json")).write_text(json.dumps(record))
        file = str(folder / "1.json")
        for command in (
            ["compare", file, file, "--absolute", "--force"],
            ["history", str(folder)],
        ):
            assert cli.main(command) == 0
            assert MARKED in capsys.readouterr().out


def test_a_suite_takes_them_for_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = made()
    found["cells"] = found["cells"][:1]
    cell = found["cells"][0]
    cell["server"] = MARKED
    cell["load"]["name"] = "one"
    swept = copy.deepcopy(cell)
    swept["load"]["name"] = "many"
    found["cells"].append(swept)
    found["suite"] = {
        "name": "[/a]",
        "about": "[/b]",
        "published": [],
        "loads": {"one": {"connections": 64}, "many": {"sweep": [64]}},
        "matrix": [
            {"servers": [MARKED], "scenarios": ["hello"], "loads": [load]}
            for load in ("one", "many")
        ],
    }
    file = tmp_path / "suite.json"
    file.write_text(json.dumps(found))
    assert cli.main(["report", str(file), "--format", "suite"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("[/a]: [/b]\n")
    assert said.count(MARKED) == 2


def test_a_range_of_cpu_is_whole_at_the_usual_width() -> None:
    """Of starts that never settled: one to the next costs more."""
    costs = {"a-server-with-a-name": 500.0, "null": 1234.0}
    found = synthetic.race(costs, seed=3, starts=2, windows=8, between=0.2)
    shown = table.render(found)
    assert "…" not in shown
    assert "requests/s" in shown
    for cell in found["cells"]:
        cell["python"]["version"] = "3.11.7 with a build of its own"
    assert "…" not in table.render(found)
