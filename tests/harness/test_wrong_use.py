"""What a careless or an unfriendly user gives to the command line: one
sentence, exit code 2, and nothing is measured, built or removed."""

from __future__ import annotations

import gzip
import json
import os
import resource
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.stats import synthetic
from wsgibench import bounded, outputs
from wsgibench.cli import main
from wsgibench.errors import UsageError
from wsgibench.harness import interpreters, machine, servers
from wsgibench.harness.requests import reading
from wsgibench.load.headers import header_set

#: Bytes of address space, for what must not read a device to its end.
SPACE = 2 << 30


@pytest.fixture(autouse=True)
def nothing_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WSGIBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def refused(capsys: pytest.CaptureFixture[str]) -> Any:
    """The sentence that a command is refused with."""

    def ask(command: str) -> str:
        assert main(shlex.split(command)) == 2
        said = capsys.readouterr()
        assert said.err.startswith("wsgibench: ")
        assert said.err.count("\n") == 1
        assert said.out == ""
        return said.err.removeprefix("wsgibench: ").rstrip("\n")

    return ask


def made(folder: Path, *argv: str, name: str = "a.json") -> str:
    """A record whose command line is that."""
    found = synthetic.race({"null": 5.0, "c-uv": 6.0}, seed=1)
    found["argv"] = list(argv)
    found["machine"] = machine.describe()
    (folder / name).write_text(json.dumps(found))
    return name


@pytest.mark.parametrize(
    "command",
    [
        "run --dry-run --rate=",
        "run --dry-run --rate=,",
        "run --dry-run --server=",
        "run --dry-run --server=,",
        "run --dry-run --python=",
        "run --dry-run --python=,",
        "run --dry-run --scenario=",
        "run --dry-run --connections=",
        "run --dry-run --counted --connections=",
        "run --dry-run --app=",
        "capacity --server=,",
        "capacity --python=",
        "capacity --connections=,",
        "size --rate=1 --server=,",
        "audit --server=",
        "audit --server=c-uv --python=,",
        "env create c-uv --python=,",
        "size --rate=1 --app=",
        "gate --base=HEAD --app=",
        "compare a.json a.json --metric=",
        "compare a.json a.json --metric=,",
    ],
)
def test_an_option_that_names_nothing(
    command: str, refused: Any, tmp_path: Path
) -> None:
    made(tmp_path, "run")
    option = command.split()[-1].partition("=")[0]
    assert refused(command) == "%s is empty: it names nothing." % option


def test_a_record_stays_when_a_search_names_nothing(
    refused: Any, tmp_path: Path
) -> None:
    (tmp_path / "capacity.json").write_text("{}")
    refused("capacity --server=,")
    assert (tmp_path / "capacity.json").read_text() == "{}"


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ("--headers=", "there is no header set ''"),
        ("--suite=", "there is no suite ''"),
        ("--think=nan", "--think is at least 0."),
        ("--think=1e30", "--think is at most 4000000000."),
        ("--visitors=0", "--visitors is at least 1."),
        ("--visitors=9", "--visitors goes with --sessions."),
        ("--sample=5", "--sample goes with --app."),
        ("--env=A=b", "--env goes with --app."),
        ("--install=x", "--install goes with --app."),
        ("--counter=perf", "--counter goes with --counted."),
        ("--starts=1%s" % ("0" * 30), "--starts is at most 100000."),
        ("--again=1%s" % ("0" * 30), "--again is at most 100000."),
        ("--duration=1e30", "--duration is at most 4000000000."),
        ("--seed=1%s" % ("0" * 22), "--seed is at most 4000000000."),
        ("--seed=-1", "--seed is at least 0."),
        ("--server=c-uv:", "c-uv has no option ''; it has: "),
        (
            "--server=c-uv:threads=1:threads=2",
            "'c-uv:threads=1:threads=2' gives threads twice.",
        ),
        (
            "--server=c-uv:threads=99999999999999999999",
            "threads of c-uv is a number, not '99999999999999999999': up to ",
        ),
    ],
)
def test_what_would_be_taken_and_ignored(
    options: str, sentence: str, refused: Any
) -> None:
    assert refused("run --dry-run " + options).startswith(sentence)


def test_no_memory_is_no_limit_that_a_user_gives(refused: Any) -> None:
    assert refused("size --rate=1 --most-memory=0") == (
        "--most-memory is more than 0."
    )


def test_an_empty_command(refused: Any) -> None:
    assert refused("''").startswith("argument COMMAND: invalid choice: ''")


def test_an_option_of_a_server_is_one_number() -> None:
    assert servers.find("c-uv:threads=16").options == {"threads": 16}


@pytest.mark.parametrize(
    "text",
    [
        *("/bin/ls", "/bin/true", "/etc/passwd", "/", "true", "*", "["),
        *("x" * 5000, "..", "a\udcff", "a\0b"),
    ],
)
def test_what_is_no_interpreter(text: str) -> None:
    with pytest.raises(UsageError, match="there is no interpreter '") as told:
        interpreters.find(text)
    assert len(str(told.value)) < 400


def test_an_interpreter_of_pyenv_by_its_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    for version in ("9.7.1", "9.7.2", "9.70.1"):
        (tmp_path / "versions" / version).mkdir(parents=True)
    assert interpreters._candidates("9.7") == [
        str(tmp_path / "versions" / version / "bin" / "python")
        for version in ("9.7.2", "9.7.1")
    ]


# -- files


@pytest.mark.parametrize(
    "command",
    [
        "run --dry-run --headers=@/dev/zero",
        "run --dry-run --config=/dev/zero",
        "run --dry-run --app=os:path --env-file=/dev/zero",
        "run --dry-run --app=os:path --requests=/dev/zero",
        "load http://127.0.0.1:1/ -n 1 --urls=/dev/zero",
        "load http://127.0.0.1:1/ -n 1 -H 'A: {pick:/dev/zero}'",
    ],
)
def test_a_file_without_an_end(command: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "wsgibench", *shlex.split(command)],
        capture_output=True,
        text=True,
        preexec_fn=lambda: resource.setrlimit(
            resource.RLIMIT_AS, (SPACE, SPACE)
        ),
    )
    assert done.returncode == 2
    assert "/dev/zero is too large: it has over" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_small_file_that_holds_much(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "log.gz"
    path.write_bytes(gzip.compress(b"GET /\n" * 1000))
    assert len(path.read_bytes()) < 1000
    assert len(reading.read(str(path)).requests) == 1000
    monkeypatch.setattr(bounded, "LARGEST", 5999)
    with pytest.raises(UsageError, match="too large"):
        reading.read(str(path))


def test_headers_that_are_no_text(tmp_path: Path) -> None:
    path = tmp_path / "binary"
    path.write_bytes(b"\x7fELF" + b"x" * 100_000)
    with pytest.raises(UsageError, match="is not a header like") as told:
        header_set("@%s" % path)
    assert len(str(told.value)) < 150


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (b"\xff\xfe", "t.toml is not TOML: 'utf-8' codec can't decode"),
        (b"tool = 5", "t.toml: tool is no table."),
        (
            b"[tool.wsgibench]\nrun = 5",
            "t.toml: tool.wsgibench.run is no table.",
        ),
        (b"run = 5", "t.toml: run is no table."),
    ],
)
def test_a_table_that_is_none(
    text: bytes, sentence: str, refused: Any, tmp_path: Path
) -> None:
    (tmp_path / "t.toml").write_bytes(text)
    for command in ("run --dry-run", "capacity", "size --rate=1"):
        told = refused(command + " --config=t.toml")
        assert told.startswith(sentence)


def test_a_value_of_a_table_that_is_none(refused: Any, tmp_path: Path) -> None:
    (tmp_path / "t.toml").write_text('starts = "abc"')
    told = refused("run --dry-run --config=t.toml")
    assert told.startswith("t.toml: argument --starts: invalid int value: ")


def test_the_table_here_is_anothers(
    tmp_path: Path, refused: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """What cannot be read at all says nothing of us; a wrong table does."""
    (tmp_path / "pyproject.toml").write_bytes(b"\xff\xfe")
    assert main(["run", "--dry-run"]) == 0
    capsys.readouterr()
    (tmp_path / "pyproject.toml").write_text("[tool]\nwsgibench = 5")
    told = refused("run --dry-run")
    assert told == "pyproject.toml: tool.wsgibench is no table."


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("broken", "there is no folder /nonexistent"),
        ("loop", "Too many levels of symbolic links"),
        ("x" * 300, "File name too long"),
        ("/proc/x", "No such file or directory"),
        ("a\0b", "embedded null byte"),
    ],
)
def test_what_cannot_be_written(
    path: str, reason: str, tmp_path: Path
) -> None:
    os.symlink("/nonexistent/x", "broken")
    os.symlink("loop", "loop")
    with pytest.raises(UsageError) as told:
        outputs.check(path)
    assert str(told.value) == "cannot write %s: %s." % (path, reason)


def test_the_check_leaves_nothing_and_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "there").write_text("kept")
    os.symlink("new", "link")
    outputs.check("there", "new", "link", "-", None, "/dev/full")
    assert sorted(one.name for one in tmp_path.iterdir()) == ["link", "there"]
    assert (tmp_path / "there").read_text() == "kept"


def test_no_load_whose_result_has_no_place(
    refused: Any, tmp_path: Path
) -> None:
    os.symlink("/nonexistent/x", "broken")
    told = refused("load http://127.0.0.1:1/ -n 3 --json broken")
    assert told.startswith("cannot write broken: ")


# -- records


@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        (["run", "-h"], "the command line in a.json is none of run: "),
        (["run", "--nope"], "the command line in a.json is none of run: "),
        (["run", "--starts=x"], "the command line in a.json is none of run: "),
        (["capacity"], "a.json is not of a run."),
    ],
)
def test_a_record_of_which_no_run_follows(
    argv: list[str], sentence: str, refused: Any, tmp_path: Path
) -> None:
    made(tmp_path, *argv)
    assert refused("run --resume a.json").startswith(sentence)


@pytest.mark.parametrize(
    "option", ["--starts=5", "--profile=quick", "--setup=x", "-o b.json"]
)
def test_what_a_resumed_run_would_not_obey(
    option: str, refused: Any, tmp_path: Path
) -> None:
    made(tmp_path, "run")
    told = refused("run --resume a.json " + option)
    assert told.endswith(
        " does not go with --resume: the record says it itself."
    )


def test_a_resumed_run_says_what_it_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It may be a stranger's record. On one line, whatever is in it."""
    strange = "--setup=touch x\n\x1b[2J"
    made(tmp_path, "run", "--app=os:path", "--server=c-uv", strange)
    words = ["run", "--resume", "a.json", "--accept-disturbed", "--dry-run"]
    assert main(words) == 0
    first = capsys.readouterr().err.splitlines()[0]
    assert first == (
        "going on with: python -m wsgibench run --app=os:path "
        "--server=c-uv '--setup=touch x\\n\\x1b[2J'"
    )
    assert not (tmp_path / "x").exists()


def test_a_plan_says_one_number_of_starts(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["run", "--dry-run", "--budget=3"]) == 0
    *rows, last = capsys.readouterr().out.splitlines()
    assert [row.split()[0] for row in rows] == ["2", "2"]
    assert last.startswith("4 starts of 2 rows: ")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ("--only=timed", "--only timed needs a commit for --base: "),
        ("--app=os:path", "--app goes with a commit for --base; "),
        ("--path=/x", "--path goes with a commit for --base; "),
        ("--server=null", "--server goes with a commit for --base; "),
        ("--starts=9", "--starts goes with a commit for --base; "),
    ],
)
def test_what_a_gate_on_a_record_would_not_obey(
    options: str, sentence: str, refused: Any, tmp_path: Path
) -> None:
    made(tmp_path, "run", "--counted")
    assert refused("gate --base a.json " + options).startswith(sentence)


# -- environments


@pytest.mark.parametrize("names", ["", "''", "gunicorn ''"])
def test_environments_are_not_removed_by_a_slip(
    names: str,
    refused: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """`env remove $NAME`, of a variable that is not set."""
    from wsgibench.harness import environments

    kept = tmp_path / "gunicorn-cpython-3.11.7-0"
    kept.mkdir()
    monkeypatch.setattr(environments, "installed", lambda: [kept])
    refused("env remove " + names)
    assert kept.is_dir()
    assert main(["env", "remove", "all"]) == 0
    assert not kept.exists()
