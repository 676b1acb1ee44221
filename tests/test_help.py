"""--help says of every option what it is for, and what holds without it."""

from __future__ import annotations

import argparse

import pytest

from wsgibench import cli


def commands() -> dict[str, argparse.ArgumentParser]:
    (sub,) = (
        action
        for action in cli.build_parser()._actions
        if isinstance(action, argparse._SubParsersAction)
    )
    return dict(sub.choices)


@pytest.mark.parametrize("name", sorted(commands()))
def test_every_option_has_help_and_default(name: str) -> None:
    made = commands()[name]
    made.format_help()  # its % are right
    wanting = []
    for action in made._actions:
        if isinstance(action, argparse._HelpAction):
            continue
        if action.help == argparse.SUPPRESS:  # another name of a tool's
            continue
        text = action.help or ""
        optional = bool(action.option_strings) and not action.required
        if not text or (optional and "default" not in text):
            names = action.option_strings or [action.dest]
            wanting.append("%s: %s" % (names[-1], text))
    assert not wanting


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
