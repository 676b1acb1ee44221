"""The command line of a load, and its nonsense."""

from __future__ import annotations

import argparse
import dataclasses
import json
from pathlib import Path
from typing import Any, Callable

import pytest

from wsgibench.cli import main
from wsgibench.commands import load as command
from wsgibench.errors import UsageError
from wsgibench.load import options, values, wire
from wsgibench.load.spec import Entry, LoadSpec

Golden = Callable[..., Any]


@pytest.mark.parametrize("text", ["0:100", "100:0", "5:6"])
def test_a_ramp_needs_a_duration(
    capsys: pytest.CaptureFixture[str], text: str
) -> None:
    run = ["load", "http://127.0.0.1:1/", "-n", "5", "--rate", text]
    assert main(run) == 2
    assert "-d" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        ["--timeout", "-1"],
        ["--timeout", "0"],
        ["--drain", "-1"],
        ["-d", "nan"],
        ["-d", "-5"],
        ["--rate", "nan"],
        ["--rate", "-5"],
        ["--rate", "5:-5", "-d", "1"],
        ["--stages", "10s"],
        ["--stages", "0:5"],
        ["--steps", "5s:0"],
        ["--stages", "1s:5", "-d", "3"],
        ["--stages", "1s:5", "--steps", "1s:5"],
        ["--think", "2:1"],
        ["--think", "1", "--rate", "5"],
        ["--think", "1", "--pipeline", "2"],
        ["--expect-status", "abc"],
        ["--expect-status", "99"],
        ["--percentiles", "101"],
        ["-H", "no colon"],
        ["-H", "sp ace: 1"],
        ["-H", "X: a\nb"],
        ["-m", "G T"],
        ["--seed", "-1"],
        ["--per-connection", "-1"],
        ["--connect-rate", "-1"],
        ["--connect-to", "nowhere"],
        ["--resolve", "127.0.0.1:1"],
        ["--slow-send=-1:1"],
        ["--prometheus", "nonsense"],
        ["-b", "x", "--body-file", "y"],
        ["-b", "@/nowhere"],
        ["--slo", "p50"],
        ["--cpu", "-1"],
        ["--cpu", "0-x"],
        ["--source", "::1"],
        ["--pipeline", "100000"],
        ["--tls-key", "key.pem"],
        ["--think", "1", "--stages", "1s:5"],
        ["--rate", "0:0", "-d", "1"],
        ["--rate", "1e9", "-d", "1"],
        ["--window", "0.0001"],
        ["--slow-send", "0.2:1"],
        ["--expect-length", "-5"],
        ["--expect-length", "9" * 5000],
        ["--max-redirects", "9" * 5000],
        ["--connect-to", "127.0.0.1:" + "9" * 5000],
        ["--connect-to", "127.0.0.1:0"],
        ["--resolve", "x:²:127.0.0.1"],
        ["--cpu", "5-1"],
        ["--cpu", ","],
        ["--prometheus", "127.0.0.1:x"],
        ["--sweep", "1,2", "--spectrum", "-"],
        ["--tool", "wrk", "--windows", "-"],
        ["-c", "many"],
        ["--no-such-option"],
        ["and", "another"],
    ],
)
def test_nonsense_is_one_sentence(
    capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    assert main(["load", "http://127.0.0.1:1/", "-n", "1", *words]) == 2
    said = capsys.readouterr().err
    assert said.startswith("wsgibench: ")
    assert "usage" not in said
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    "url",
    [
        "http://[::1/",
        "http://127.0.0.1:99999/",
        "http://a..b/",
        "http://" + "x" * 300 + "/",
        "http://\udcff/",
        "http:///path",
        "http://127.0.0.1:0/",
        "unix:",
        "unix:/" + "x" * 107,
    ],
)
def test_what_is_no_url_is_one_sentence(
    capsys: pytest.CaptureFixture[str], url: str
) -> None:
    assert main(["load", url, "-n", "1"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_letters_of_other_tools() -> None:
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    words = "-c 3 -d 2s -n 7 -t 1 -H a:b -m put -b text -q -R 5 http://h/"
    asked = parser.parse_args(words.split())
    assert (asked.connections, asked.requests, asked.processes) == (3, 7, 1)
    assert (asked.method, asked.body, asked.pace) == (
        "PUT",
        b"text",
        (5, None),
    )
    assert asked.quiet
    assert asked.duration == 2
    assert "%" in parser.format_help()


#: Fields of LoadSpec that programs set, and no option.
OF_PROGRAMS = {"entries", "visitors", "part", "parts", "start_ns"}


def test_every_field_of_a_load_has_an_option() -> None:
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    said = parser.parse_args(["http://h/"])
    assert options.given(said) == {"url": "http://h/"}  # no second defaults
    words = "-R 1:2 --arrivals constant --steps 1s:5 -H a:b -u a:b -L "
    words += "--slow-send 1:2 --slow-read 3:4 -b x @load.json"
    dests = {action.dest for action in parser._actions}
    with pytest.raises(UsageError, match="no -d, no -R"):
        options.spec(parser.parse_args(words.split()))
    said = parser.parse_args(words.replace("--steps 1s:5", "").split())
    fields = {one.name for one in dataclasses.fields(LoadSpec)}
    assert fields - dests - set(options.given(said)) == OF_PROGRAMS


DEEP = "[" * 100_000


def test_a_load_from_a_file(tmp_path: Path) -> None:
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    entry = Entry("/a", "POST", body=b"\xff", expect_status=(201, 204))
    made = LoadSpec("http://h/", connections=8, rate=9.5, entries=(entry,))
    file = tmp_path / "load.json"
    file.write_text(json.dumps(wire.to_json(made)))
    at = "@%s" % file
    assert options.spec(parser.parse_args([at])) == made
    more = options.spec(parser.parse_args([at, "-c", "2", "-R", "5"]))
    assert more == dataclasses.replace(made, connections=2, rate=5.0)
    for text in (
        "[",
        "[]",
        '{"connections": 1}',
        '{"url": "x", "what": 1}',
        DEEP,
    ):
        file.write_text(text)
        with pytest.raises(UsageError):
            options.spec(parser.parse_args([at]))
    with pytest.raises(UsageError, match="cannot read"):
        options.spec(parser.parse_args(["@%s" % tmp_path]))


def test_values() -> None:
    assert values.seconds("1.5m") == 90
    assert values.seconds("200ms") == 0.2
    assert values.statuses("200,204") == (200, 204)
    assert values.statuses("0") == ()
    assert len(values.statuses("2xx,404")) == 101
    assert values.stages("1s:5,2s:0") == ((1, 0, 5), (2, 5, 0))
    assert values.steps("1s:5,2s:7") == ((1, 5, 5), (2, 7, 7))
    assert values.think("1s:2s") == (1, 2)
    assert values.think("500ms") == (0.5, 0.5)
