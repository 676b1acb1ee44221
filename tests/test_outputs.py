"""Files that cannot be written, of every command that writes one: a sentence
before anything is measured, and nothing measured is lost by one later on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.audit.test_command import PLANTED
from tests.stats import synthetic

#: RECORD is a record, OUT the file.
COMMANDS = [
    "report RECORD -o OUT",
    "history FOLDER -o OUT",
    "compare RECORD RECORD --json OUT",
    "gate --base HEAD -o OUT",
    "audit --server c-uv --json OUT",
    "audit --server c-uv --junit OUT",
    "audit --server c-uv --markdown OUT",
    "audit --server c-uv --scores OUT",
    "audit --server c-uv --differences OUT",
    "run -o OUT",
    "capacity --slo p99=50ms -o OUT",
    "load http://127.0.0.1:1/ --json OUT",
]
#: Those that have nothing to measure first.
AT_ONCE = COMMANDS[:3]


def ask(command: str, folder: Path, out: str) -> tuple[int, str]:
    costs = {"c-uv": 6.0, "tornado": 150.0}
    for name, seed in (("a", 1), ("b", 2)):
        made = synthetic.race(costs, seed=seed)
        (folder / (name + ".json")).write_text(json.dumps(made))
    words = {
        "RECORD": str(folder / "a.json"),
        "FOLDER": str(folder),
        "OUT": out,
    }
    done = subprocess.run(
        [sys.executable, "-m", "wsgibench"]
        + [words.get(word, word) for word in command.split()],
        capture_output=True,
        text=True,
        cwd=folder,
    )
    return done.returncode, done.stderr


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    ("out", "reason"),
    [("nowhere/out", "there is no folder nowhere"), (".", "it is a folder")],
)
def test_what_cannot_be_written_is_told_first(
    command: str, out: str, reason: str, tmp_path: Path
) -> None:
    code, said = ask(command, tmp_path, out)
    assert (code, said) == (
        2,
        "wsgibench: cannot write %s: %s.\n" % (out, reason),
    )


@pytest.mark.parametrize("command", AT_ONCE)
def test_a_full_disk_is_a_sentence(command: str, tmp_path: Path) -> None:
    code, said = ask(command, tmp_path, "/dev/full")
    sentence = "wsgibench: cannot write /dev/full: No space left on device.\n"
    # As of a full standard output: it is not the request that is wrong.
    assert (code, said) == (1, sentence)


def test_a_full_disk_costs_no_audit(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "wsgibench", "audit", "--command", PLANTED]
        + ["--case", "http/host/*", "--json", "/dev/full"]
        + ["--junit", str(tmp_path / "a.xml")],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert "cannot write /dev/full: No space" in done.stderr
    assert "Traceback" not in done.stderr
    assert "http/host/" in done.stdout
    assert "http.host" in (tmp_path / "a.xml").read_text()


@pytest.mark.parametrize(
    "command",
    [
        "gate --base HEAD --limit nan",
        "gate --base HEAD --limit -1",
        "gate --base HEAD --starts 0",
        "gate --base HEAD --rounds 0",
        "gate --base HEAD --duration 0",
        "compare RECORD RECORD --margin nan",
        "compare RECORD RECORD --margin -3",
    ],
)
def test_numbers_that_make_no_sense(command: str, tmp_path: Path) -> None:
    code, said = ask(command, tmp_path, "")
    option = command.split()[-2]
    assert code == 2
    assert said.startswith("wsgibench: %s is " % option)
    assert said.count("\n") == 1


@pytest.mark.parametrize("command", ["run", "audit"])
@pytest.mark.parametrize(
    ("cache", "reason"),
    [("/dev/null", "Not a directory"), ("/proc", "No such file")],
)
def test_a_cache_that_cannot_be_used(
    command: str, cache: str, reason: str, tmp_path: Path
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "wsgibench", command, "--server", "waitress"],
        capture_output=True,
        text=True,
        env={**os.environ, "WSGIBENCH_CACHE": cache + "/x"},
        cwd=tmp_path,  # for the record
    )
    assert done.returncode == 1
    assert "cache directory %s/x: %s" % (cache, reason) in (
        done.stdout + done.stderr
    )
    assert "Traceback" not in done.stderr


def test_a_full_standard_output_is_a_sentence() -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "wsgibench", "list"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
        )
    assert done.returncode == 1
    assert done.stderr == "wsgibench: No space left on device.\n"
