"""The command line: one sub-command a file in ``wsgibench.commands``.

A command module has ``HELP`` (one line), ``add_arguments(parser)`` and
``run(arguments) -> int`` (the exit code: 0 done, 1 a measurement failed or a
gate was missed, 2 wrong use; more in commands/_exit_codes.py). Its file name
is its name on the command line; nothing else lists it. Modules import what is
heavy inside ``run``.
"""

from __future__ import annotations

import argparse
import contextlib
import errno
import importlib
import io
import os
import pkgutil
import re
import sys
from collections.abc import Callable, Sequence
from typing import NoReturn

from wsgibench import __version__, commands, printable
from wsgibench.commands import _exit_codes
from wsgibench.errors import UsageError, WsgibenchError
from wsgibench.plugins import suggestion

#: Modules of the `bench` extra; the server needs none of them.
HARNESS = (
    "jinja2",
    "numpy",
    "packaging",
    "platformdirs",
    "python_discovery",
    "rich",
    "scipy",
    "tomli",
)


def invocation() -> str:
    """How the user called this: the installed command, or the module."""
    name = os.path.basename(sys.argv[0])
    return name if name == "wsgibench" else "python -m wsgibench"


#: What argparse says of a wrong command, a wrong value, a wrong option.
SLIP = re.compile(
    r"invalid choice: '(?P<word>[^']*)' \(choose from (?P<known>.*)\)"
    r"|unrecognized arguments: (?P<option>--[\w-]+)"
)
WORD = re.compile(r"[\w-]+")


def wants_default(action: argparse.Action) -> bool:
    """Whether help has to say what holds without it: a flag is off then."""
    return (
        bool(action.option_strings)
        and not action.required
        and action.help not in (None, argparse.SUPPRESS)
        and (
            action.nargs != 0
            or isinstance(action, argparse.BooleanOptionalAction)
        )
    )


class Parser(argparse.ArgumentParser):
    """Its help says of every option with a value what holds without it,
    where the command did not write it itself."""

    #: (name of an option) -> its default, where argparse does not know it.
    default_text: Callable[[str], str] | None = None

    def format_help(self) -> str:
        self.tell_defaults()
        return super().format_help()

    def tell_defaults(self) -> None:
        """In the texts of the actions, for whoever reads these. Not when the
        parser is built: to know them takes the core and LoadSpec, and the
        parser is built for every command."""
        for action in self._actions:
            if isinstance(action, argparse._SubParsersAction):
                for parser in action.choices.values():
                    parser.tell_defaults()
            elif wants_default(action) and "default" not in str(action.help):
                said = self._default(action).replace("%", "%%")
                action.help = "%s (default: %s)" % (action.help, said)

    def error(self, message: str) -> NoReturn:
        """One sentence, with what was meant after a slip."""
        slip = SLIP.search(message)
        if slip is not None:
            known = WORD.findall(slip["known"] or "") or self._options()
            message += suggestion(slip["word"] or slip["option"] or "", known)
        raise UsageError("%s; see %s --help." % (message, self.prog))

    def _options(self) -> list[str]:
        """Of this command; of all of them, for the parser above them."""
        found: list[str] = []
        for action in self._actions:
            found += action.option_strings
            if isinstance(action, argparse._SubParsersAction):
                for parser in action.choices.values():
                    found += parser._options()
        return found

    def _default(self, action: argparse.Action) -> str:
        value = action.default
        if value == argparse.SUPPRESS:
            known = self.default_text
            return known(action.dest) if known else "none"
        if isinstance(value, bool):
            return "on" if value else "off"
        return "none" if value in (None, "", []) else str(value)


def parser_of(
    command: str, add_arguments: Callable[[argparse.ArgumentParser], None]
) -> Parser:
    """Of one command, for arguments that come from elsewhere than the command
    line: --help is none of them."""
    parser = Parser(prog="%s %s" % (invocation(), command), add_help=False)
    add_arguments(parser)
    return parser


def build_parser() -> Parser:
    parser = Parser(
        prog=invocation(),
        description="Serve a WSGI application, or race the servers that can.",
    )
    parser.add_argument(
        "--version", action="version", version="wsgibench " + __version__
    )
    subparsers = parser.add_subparsers(
        dest="command", metavar="COMMAND", required=True
    )
    for module_info in pkgutil.iter_modules(commands.__path__):
        if module_info.name.startswith("_"):
            continue  # what several commands share
        module = importlib.import_module(
            commands.__name__ + "." + module_info.name
        )
        sub = subparsers.add_parser(
            module_info.name, help=module.HELP, description=module.HELP
        )
        module.add_arguments(sub)
        sub.set_defaults(run=module.run)
        sub.default_text = getattr(module, "default_text", None)
    return parser


def open_standard_streams() -> None:
    """A process started with 0, 1 or 2 closed would get its sockets there,
    and write its messages into them."""
    for fd, name in ((0, "stdin"), (1, "stdout"), (2, "stderr")):
        try:
            os.fstat(fd)
        except OSError:
            null = os.open(os.devnull, os.O_RDWR)  # the lowest that is free
            if null != fd:
                os.dup2(null, fd)
                os.close(null)
            os.set_inheritable(fd, True)
        if getattr(sys, name) is None:
            mode = "r" if fd == 0 else "w"
            setattr(sys, name, open(fd, mode, closefd=False))
    # Tables have characters that not every encoding of a terminal has.
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def say(text: str) -> None:
    """To standard error; that nobody reads it changes no exit code. The name
    of a file may hold any byte."""
    with contextlib.suppress(OSError):
        print(
            "wsgibench: " + printable.text(text), file=sys.stderr, flush=True
        )


#: What the system refuses whatever the program is like.
REFUSED = frozenset(
    (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT)
    + (errno.EMFILE, errno.ENFILE, errno.ENOTDIR, errno.EISDIR)
    + (errno.ENAMETOOLONG, errno.ELOOP, errno.ENOMEM, errno.EAGAIN)
)


def _of_system(error: OSError) -> tuple[str, int] | None:
    """(sentence, exit code) of what is no fault of the program: a cache or a
    folder for temporary files that cannot be used, a full disk."""
    try:
        os.getcwd()
    except FileNotFoundError:
        return (
            "the current directory was deleted; start in one that exists.",
            _exit_codes.USAGE,
        )
    nowhere = isinstance(error, FileNotFoundError) and error.filename is None
    if error.errno not in REFUSED and not nowhere:
        return None
    place = "cannot use %s: " % error.filename if error.filename else ""
    return "%s%s." % (place, error.strerror or error), _exit_codes.FAILED


def _drop_output() -> None:
    """The interpreter's own flush at its end must not fail, too."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def main(argv: Sequence[str] | None = None) -> int:
    open_standard_streams()
    given = list(sys.argv[1:] if argv is None else argv)
    try:
        arguments = build_parser().parse_args(given)
        arguments.argv = given
        code: int = arguments.run(arguments)
        sys.stdout.flush()
    except WsgibenchError as error:
        say(str(error))
        return error.exit_code
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] not in HARNESS:
            raise
        say(
            "%s needs %s; install what measures with: "
            "pip install 'wsgibench[bench]' (in a checkout: pip install "
            "'.[bench]')." % (given[0], error.name)
        )
        return _exit_codes.FAILED
    except KeyboardInterrupt:
        return _exit_codes.INTERRUPTED
    except BrokenPipeError:
        _drop_output()  # `... | head`: nobody reads on
        return _exit_codes.NOBODY_READS
    except OSError as error:
        found = _of_system(error)
        if found is None:
            raise
        say(found[0])
        try:
            sys.stdout.flush()
        except OSError:
            _drop_output()
        return found[1]
    return code
