"""``python -m wsgibench env``: the environments that servers run in."""

from __future__ import annotations

import argparse
import shutil

HELP = "list or remove the environments of the servers"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=["list", "create", "remove"])
    parser.add_argument("names", nargs="*", help="of servers, or folders")
    parser.add_argument("--python", default="python3")


def run(arguments: argparse.Namespace) -> int:
    from wsgibench import plugins
    from wsgibench.harness import environments, interpreters

    if arguments.action == "create":
        interpreter = interpreters.find(arguments.python)
        for name in arguments.names:
            plugins.check("guest/servers", name, "server")
            made = environments.get(interpreter, name, print)
            print("%s: %s" % (name, made.python))
        return 0
    for folder in environments.installed():
        chosen = not arguments.names or any(
            folder.name.startswith(name) for name in arguments.names
        )
        if not chosen:
            continue
        if arguments.action == "remove":
            shutil.rmtree(folder)
            print("removed %s" % folder.name)
        else:
            print(folder)
    return 0
