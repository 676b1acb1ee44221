"""What a stranger's text does to a terminal: nothing."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.counting import test_comparison as counting
from tests.harness.test_record import made
from wsgibench import cli, plugins, printable
from wsgibench.load import report as load_report
from wsgibench.reports import markdown

#: A title, a colour, C1's CSI, a mark of direction, half of a pair.
EVIL = "evil\x1b]0;pwn\x07\x1b[31mred\x9b1m\u202e\ud800\r"
SHOWN = r"evil\x1b]0;pwn\x07\x1b[31mred\x9b1m\u202e\ud800\r"


def test_text_keeps_what_can_be_read() -> None:
    assert printable.text(EVIL) == SHOWN
    for kept in ("", "a\n\tb", "é … ▅ 漢", "\\x1b"):
        assert printable.text(kept) == kept


def test_values_are_reached_wherever_they_are() -> None:
    given = {"a": [EVIL, {"\x1b": [[EVIL]]}, 1, None], "b": "\x07"}
    found = printable.values(given)
    assert found == {
        "a": [SHOWN, {"\\x1b": [[SHOWN]]}, 1, None],
        "b": "\\x07",
    }
    assert printable.values(EVIL) == SHOWN
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    assert printable.values(deep) is deep
    while deep:  # or its end would be deep, too
        deep = deep.pop()


def poisoned(value: Any, key: str = "") -> Any:
    """With the text in all that is free text."""
    if isinstance(value, dict):
        return {name: poisoned(one, name) for name, one in value.items()}
    if isinstance(value, list):
        return [poisoned(one, key) for one in value]
    coded = key in ("schema", "kind", "level", "numbers", "created")
    coded = coded or key in ("service", "hdr", "response")
    return value if coded or not isinstance(value, str) else value + EVIL


def doubted() -> dict[str, Any]:
    found = made()
    found["cells"][0]["starts"][0]["load"]["doubts"] = [
        {
            "code": "x",
            "level": "SUSPECT",
            "numbers": ["goodput"],
            "what": "y",
            "remedy": "z",
        }
    ]
    return found


RECORDS = {
    "timed": doubted(),
    "counted": counting.record(counting.cell(100.0)),
}


@pytest.mark.parametrize("kind", RECORDS)
def test_no_form_of_a_record_has_it(
    kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "record.json"
    file.write_text(json.dumps(poisoned(RECORDS[kind])))
    commands = [
        ["report", str(file), "--format", form]
        for form in plugins.names("reports")
    ]
    commands += [["compare", str(file), str(file), "--force"]]
    (tmp_path / "again.json").write_bytes(file.read_bytes())
    commands += [["history", str(tmp_path)]]
    shown = 0
    for command in commands:
        cli.main(command)
        said, wrong = capsys.readouterr()
        for line in (said + wrong).splitlines():
            assert line.replace("\t", "").isprintable(), (command, line)
        shown += SHOWN.partition("]")[0] in said
    assert shown > 1


def test_no_sentence_has_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["report", "/nowhere\x1b[31m/\udce9"]) == 2
    said = capsys.readouterr().err
    assert r"/nowhere\x1b[31m/\udce9" in said
    assert said.rstrip("\n").isprintable()


def test_a_terminal_that_is_not_utf_8(tmp_path: Path) -> None:
    file = tmp_path / "record.json"
    found = made()
    found["failures"] = [{"cell": "é", "reason": "▅"}]
    file.write_text(json.dumps(found))
    done = subprocess.run(
        [sys.executable, "-m", "wsgibench", "report", str(file)],
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        check=True,
    )
    assert rb"* \xe9: \u2585" in done.stdout


def test_standard_output_may_be_anything(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    cli.open_standard_streams()


MARKDOWN = "a|b\n<script>alert(1)</script> ![x](http://y) \\|"


def test_markdown_is_text_in_one_line() -> None:
    assert printable.markdown(MARKDOWN) == (
        "a\\|b &lt;script>alert(1)&lt;/script> ![x]\\(http://y) \\\\\\|"
    )
    ours = "17.4 [17.3, 17.4] us (>=~2 %), 1.2..3"
    assert printable.markdown(ours) == ours


def test_a_name_breaks_no_table_in_markdown() -> None:
    found = doubted()
    found["cells"][0]["server"] = MARKDOWN
    found["failures"] = [{"cell": MARKDOWN, "reason": MARKDOWN}]
    load = found["cells"][0]["starts"][0]["load"]
    load["doubts"][0]["what"] = MARKDOWN
    check_markdown(markdown.render(found), "| server |")


def check_markdown(shown: str, head: str) -> None:
    assert "<" not in shown
    assert "](" not in shown
    assert "a\\|b &lt;script>" in shown
    lines = shown.splitlines()
    first = next(n for n, one in enumerate(lines) if one.startswith(head))
    bars = re.compile(r"(?<!\\)\|")
    table = [one for one in lines[first:] if one.startswith("|")]
    assert len({len(bars.findall(one)) for one in table}) == 1
    for line in lines[first + len(table) :]:
        assert line == "" or line[:2] in ("- ", "* ")


def test_nor_does_a_result_of_load() -> None:
    asked = {"connections": 1, "rate": 0.0}
    loaded = {
        **{"asked": asked, "scheduled": 1, "classes": {"ok": 1}},
        **{"goodput": 1.0, "tail": {"p50_ns": 1e6}},
        "verdict": MARKDOWN,
        "reasons": [MARKDOWN],
    }
    check_markdown(load_report.render(loaded, "markdown"), "| connections |")
