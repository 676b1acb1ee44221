"""Every command in the documents is one that works. What is ours is parsed as
it stands there, and each of our commands is run by the test that RUN_BY
names, on this machine and in seconds; what belongs to others is looked at as
far as it touches us. ONLY_TOLD is what nothing here tries."""

from __future__ import annotations

import argparse
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.test_docs import DOCUMENTS, ROOT, blocks
from wsgibench import cli
from wsgibench.errors import UsageError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

#: Another's command -> the tests that run it. Importing Locust here would
#: have gevent patch this process.
OTHERS_RUN_BY = {"locust": "tests/machines/test_machines.py"}

#: Our command -> the test that runs it.
RUN_BY = {
    "audit": "tests/audit/test_command.py",
    "capacity": "tests/applications/test_searches.py",
    "compare": "tests/counting/test_comparison.py",
    "history": "tests/reports/test_bridges.py",
    "list": "tests/harness/test_command.py",
    "load": "tests/load/test_command.py",
    "report": "tests/applications/test_searches.py",
    "run": "tests/applications/test_run.py",
    "serve": "tests/native/test_serve.py",
    "size": "tests/applications/test_searches.py",
    "target": "tests/harness/test_command.py",
    "worker": "tests/machines/test_machines.py",
}

#: Ours that is parsed only: it builds two versions and counts both, minutes;
#: .ci/gate runs it on each pull request.
PARSED_ONLY = {"gate"}

#: Other people's, which no test runs: an old toolchain for the servers that
#: no index has (docs/suites.md), and what any shell has.
ONLY_TOLD = {
    *("cd", "git", "ln", "make", "mkdir", "virtualenv", "."),
    *("./configure", "greenlet27/bin/pip", "slp/bin/python"),
}
PYTHON = re.compile(r"(.*/)?python[\d.]*t?$")
VARIABLE = re.compile(r"[A-Z_]+=")


def commands(path: Path) -> Iterator[list[str]]:
    """Words of each command in the shell blocks of a document."""
    for block in blocks(path, "sh"):
        block = re.sub(r"\$\([^)]*\)", "OUTPUT", block)
        for line in re.sub(r"\\?\n(?=\s)|\\\n", " ", block).splitlines():
            # (cd there && this) is two commands.
            for part in re.split(r" && |^\(|\)$", line):
                words = shlex.split(part, comments=True)
                while words and VARIABLE.match(words[0]):
                    words.pop(0)
                if words:
                    yield words


def checked(words: list[str]) -> None:
    """A complaint is raised as ValueError, or as argparse has it."""
    program, *rest = words
    if program == "./bench":
        ours(rest)
    elif program == "./check":
        for name in rest:
            exists(name)
    elif PYTHON.match(program) and rest[0] == "-m":
        module(rest[1], rest[2:])
    elif PYTHON.match(program) and rest[0].endswith(".py"):
        script(rest[0], rest[1:])
    elif program == "pip":
        install(rest)
    elif program == "gunicorn":
        gunicorn(rest)
    elif program in OTHERS_RUN_BY:
        assert program in (ROOT / OTHERS_RUN_BY[program]).read_text()
    elif program not in ONLY_TOLD and not is_told(words):
        raise ValueError("who tries it?")


def is_told(words: list[str]) -> bool:
    return Path(words[0]).parent.parent.name in ("slp", "greenlet27")


def ours(words: list[str]) -> None:
    if words in ([], ["--with-services"]):
        return
    parsed = cli.build_parser().parse_args(words)
    assert isinstance(parsed, argparse.Namespace)
    if words[0] not in RUN_BY.keys() | PARSED_ONLY:
        raise ValueError("no test runs it: RUN_BY")


def module(name: str, rest: list[str]) -> None:
    if name == "wsgibench":
        ours(rest)
    elif name == "pip":
        install(rest)
    elif name.startswith("tests."):
        exists(name.replace(".", "/") + ".py")
    elif name not in ("venv", *ONLY_TOLD):
        raise ValueError("who tries it?")


def exists(name: str) -> None:
    if not (ROOT / name).exists():
        raise ValueError("there is no %s" % name)


def script(name: str, rest: list[str]) -> None:
    """One of ours has the options; setup.py is setuptools'."""
    if name == "setup.py":
        return
    text = (ROOT / name).read_text()
    for word in rest:
        if word.startswith("--") and '"%s"' % word not in text:
            raise ValueError("%s has no %s" % (name, word))


def install(words: list[str]) -> None:
    """Of ours with extras that there are, or of another package."""
    with open(ROOT / "pyproject.toml", "rb") as file:
        extras = tomllib.load(file)["project"]["optional-dependencies"]
    for name in re.findall(r"wsgibench\[(\w+)\]", " ".join(words)):
        if name not in extras:
            raise ValueError("there is no extra %r" % name)


def gunicorn(words: list[str]) -> None:
    config = pytest.importorskip("gunicorn.config").Config()
    parsed = config.parser().parse_args(words)
    if parsed.worker_class is not None:
        config.set("worker_class", parsed.worker_class)
        assert config.worker_class.__name__


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_every_command(path: Path) -> None:
    for words in commands(path):
        try:
            checked(words)
        except (SystemExit, ValueError, UsageError) as error:
            pytest.fail("%s: %s" % (shlex.join(words), error))


def test_our_commands_are_found_at_all() -> None:
    found = {
        words[3]
        for path in DOCUMENTS
        for words in commands(path)
        if words[1:3] == ["-m", "wsgibench"]
    }
    assert {"run", "serve", "load", "report", "worker"} <= found


@pytest.mark.parametrize("command", RUN_BY)
def test_a_test_runs_it(command: str) -> None:
    assert '"%s"' % command in (ROOT / RUN_BY[command]).read_text()


def test_the_command_line_needs_nothing_that_measures() -> None:
    """`serve` is all that a production machine has: what the bench extra
    installs is not there."""
    program = (
        "import sys\n"
        "from wsgibench import cli\n"
        "cli.build_parser()\n"
        "from wsgibench.native import serve\n"
        "loaded = {name.partition('.')[0] for name in sys.modules}\n"
        "print(*loaded & set(cli.HARNESS))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stdout.split() == []
