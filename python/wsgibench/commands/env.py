"""``python -m wsgibench env``: the environments that servers run in."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from pathlib import Path

from wsgibench.commands import _exit_codes

HELP = "create, list, pin or remove the environments of the servers"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "action",
        choices=["list", "create", "remove", "pin"],
        help="pin: write their versions down, for all runs to come",
    )
    parser.add_argument(
        "names",
        nargs="*",
        help="of servers to create; of folders to act on; all: remove all",
    )
    parser.add_argument(
        "--python", default="python3", help="to create for; comma-separated"
    )


def _create(names: list[str], pythons: str) -> int:
    """Every server that can run there when none is named."""
    from wsgibench import plugins
    from wsgibench.errors import WsgibenchError
    from wsgibench.harness import (
        environments,
        interpreters,
        selection,
        servers,
    )

    chosen = [servers.find(name).name for name in names]
    found = [
        interpreters.find(name) for name in selection.split(pythons, "python")
    ]
    failed = 0
    for interpreter in found:
        for name in chosen or plugins.names(servers.FOLDER):
            reason = servers.why_not(name, interpreter)
            try:
                if not reason:
                    made = environments.get(interpreter, name, _tell)
                    print("%s: %s" % (name, made.python))
                    continue
            except WsgibenchError as error:
                reason = str(error)
            if chosen or "cannot import" not in reason:
                failed += bool(chosen)
                print("%s: %s" % (name, reason), file=sys.stderr)
    return _exit_codes.FAILED if failed else 0


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _show(folder: Path) -> None:
    from wsgibench.harness.environments import MANIFEST

    versions = json.loads((folder / MANIFEST).read_text())
    print(folder)
    held = ["%s %s" % item for item in sorted(versions.items())]
    print("  " + (", ".join(held) or "nothing but the interpreter"))


def run(arguments: argparse.Namespace) -> int:
    from wsgibench.errors import UsageError
    from wsgibench.harness import environments

    if arguments.action == "create":
        return _create(arguments.names, arguments.python)
    if not all(arguments.names) or (
        arguments.action == "remove" and not arguments.names
    ):
        # As of a variable that is not set.
        raise UsageError(
            "env %s takes the beginnings of names that `env list` shows%s."
            % (
                arguments.action,
                ", or `all`" if arguments.action == "remove" else "",
            )
        )
    if arguments.action == "remove" and arguments.names == ["all"]:
        arguments.names = []
    chosen = [
        folder
        for folder in environments.installed()
        if not arguments.names
        or any(folder.name.startswith(name) for name in arguments.names)
    ]
    if arguments.names and not chosen:
        raise UsageError(
            "there is no environment %s; `env list` shows them."
            % ", ".join(arguments.names)
        )
    if arguments.action == "pin":
        for path in environments.pin(chosen):
            print(path)
        return 0
    for folder in chosen:
        if arguments.action == "remove":
            shutil.rmtree(folder)
            print("removed %s" % folder.name)
        else:
            _show(folder)
    return 0
