"""--help says of every option what it is for, and what holds without it."""

from __future__ import annotations

import argparse

import pytest

from wsgibench import cli
from wsgibench.commands import completion


def commands() -> dict[str, argparse.ArgumentParser]:
    (sub,) = (
        action
        for action in cli.build_parser()._actions
        if isinstance(action, argparse._SubParsersAction)
    )
    return dict(sub.choices)


def rendered(made: argparse.ArgumentParser, action: argparse.Action) -> str:
    """The action's help as --help prints it, on one line."""
    return str(made._get_formatter()._expand_help(action))


@pytest.mark.parametrize("name", sorted(commands()))
def test_every_option_has_help_and_default(name: str) -> None:
    made = commands()[name]
    made.format_help()  # its % are right
    wanting = []
    for action in made._actions:
        if action.help == argparse.SUPPRESS:  # another name of a tool's
            continue
        text = rendered(made, action) if action.help else ""
        told = text.count("default")
        if not text or (cli.wants_default(action) and told != 1):
            names = action.option_strings or [action.dest]
            wanting.append("%s: %s" % (names[-1], text))
    assert not wanting


@pytest.mark.parametrize(
    ("command", "option", "text"),
    [
        ("load", "--max-redirects", "follow them (default: 5 with -L)"),
        ("load", "--source", "address (default: the system's choice)"),
        ("load", "--follow", "redirects to this origin"),
        ("compare", "--margin", "(default: 3; of what was counted 0.5)"),
        ("gate", "--limit", "instructions that pass (default: 0.5)"),
        ("serve", "--print-config", "and where it comes from"),
        ("serve", "--preload", "the workers are forked (default: off)"),
        ("serve", "--statsd-prefix", "before their names (default: none)"),
    ],
)
def test_a_default_is_said_once_and_of_a_flag_not_at_all(
    command: str, option: str, text: str
) -> None:
    made = commands()[command]
    made.format_help()
    (action,) = (one for one in made._actions if option in one.option_strings)
    assert rendered(made, action).endswith(text)


def test_the_version_has_no_default() -> None:
    assert "default" not in cli.build_parser().format_help()


def test_the_manual_page_has_the_defaults() -> None:
    pytest.importorskip("build_manpages")
    parser = cli.build_parser()
    parser.tell_defaults()
    page = completion.manual(parser).replace("\\-", "-")
    assert "follow them (default: 5 with -L)" in page
    assert "first source address (default: the system's choice)" in page


@pytest.mark.parametrize(
    ("argv", "meant"),
    [
        (["rum"], "'run'"),
        (["run", "--sever=x"], "'--server'"),
        (["capacity", "--budgt=x"], "'--budget'"),
        (["run", "--profile=quik"], "'quick'"),
        (["load", "http://h/", "--conections", "4"], "'--connections'"),
    ],
)
def test_a_slip_is_told_what_was_meant(
    argv: list[str], meant: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(argv) == 2
    said = capsys.readouterr().err
    assert said.startswith("wsgibench: ")
    assert said.count("\n") == 1
    assert "(did you mean %s?)" % meant in said
