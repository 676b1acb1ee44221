"""``python -m wsgibench completion``: completion of commands and options in a
shell, and the manual page, from the parser itself."""

from __future__ import annotations

import argparse

from wsgibench.errors import WsgibenchError

HELP = "print completion for a shell, or the manual page"
SHELLS = ("bash", "zsh", "tcsh", "man")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "shell",
        choices=SHELLS,
        help="bash, zsh, tcsh: source what it prints; man: the manual page in "
        "roff, as wsgibench.1",
    )


def run(arguments: argparse.Namespace) -> int:
    from wsgibench.cli import build_parser

    parser = build_parser()
    parser.prog = "wsgibench"
    if arguments.shell == "man":
        parser.tell_defaults()
        print(manual(parser))
    else:
        print(completion(parser, arguments.shell))
    return 0


def completion(parser: argparse.ArgumentParser, shell: str) -> str:
    try:
        import shtab
    except ImportError:
        raise WsgibenchError(
            "completion needs shtab: pip install shtab."
        ) from None
    text: str = shtab.complete(parser, shell=shell)
    return text


def manual(parser: argparse.ArgumentParser) -> str:
    try:
        from build_manpages.manpage import Manpage
    except ImportError:
        raise WsgibenchError(
            "the manual page needs argparse-manpage: "
            "pip install argparse-manpage."
        ) from None
    return str(Manpage(parser))
