"""An application by the texts of a command line."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from wsgibench.errors import UsageError, WsgibenchError
from wsgibench.harness import application
from wsgibench.target.reference import parsed

PLAIN: dict[str, Any] = {
    "env": [],
    "env_file": [],
    "requirements": [],
    "install": [],
    "venv": "",
    "setup": "",
    "reset": "",
    "sessions": "",
    "visitors": 1,
    "host": "localhost",
}


def make(folder: Path, target: str = "shop:app", **more: Any) -> Any:
    return application.make(target, chdir=str(folder), **{**PLAIN, **more})


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a.b:app", ("a.b", "app", None)),
        ("a:one.two", ("a", "one.two", None)),
        ("a:make()", ("a", "make", ([], {}))),
        (
            "a:one.make('prod', [1, 2], debug=False)",
            ("a", "one.make", (["prod", [1, 2]], {"debug": False})),
        ),
    ],
)
def test_targets(tmp_path: Path, text: str, found: Any) -> None:
    read: Any = parsed
    assert read(text) == found
    assert make(tmp_path, text).target == text


@pytest.mark.parametrize(
    "text",
    [
        *("", "a", "a:", ":b", "a:b[0]", "a:make(name)", "a:make(**{})"),
        *("a-b:c", "a:b c", "a:1", "../a:b", "a:make(open('x'))"),
    ],
)
def test_what_is_no_target(tmp_path: Path, text: str) -> None:
    with pytest.raises(UsageError, match="is no application like"):
        make(tmp_path, text)


def test_variables_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "env"
    path.write_text(
        "# of the shop\n"
        "export A='one two'  # said\n"
        'B="#1 \\" x"\n'
        "C=plain # said\n"
        "D=a#b=c\n"
        "E=\n"
    )
    found = make(tmp_path, env_file=[str(path)], env=["C=over", "F=x=y"])
    assert dict(found.environ) == {
        "A": "one two",
        "B": '#1 " x',
        "C": "over",
        "D": "a#b=c",
        "E": "",
        "F": "x=y",
    }


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("A=1\nB\n", "line 2 is not like NAME=VALUE"),
        ("A=1\n\nB='x\n", "line 3: the quotation does not end"),
    ],
)
def test_a_broken_file_of_variables(
    tmp_path: Path, text: str, said: str
) -> None:
    (tmp_path / "env").write_text(text)
    with pytest.raises(UsageError, match=said):
        make(tmp_path, env_file=[str(tmp_path / "env")])


def test_a_command_that_fails_says_its_last_words(tmp_path: Path) -> None:
    made = make(tmp_path, env=["WHO=me"])
    made.command('test "$WHO" = me', sys.executable, ())
    with pytest.raises(WsgibenchError, match=r"exit 3\): no"):
        made.command("echo no; exit 3", sys.executable, ())
