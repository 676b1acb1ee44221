"""``python -m tests.faults NAME ...``: faults at their full size.

    python -m tests.faults --list
    python -m tests.faults slow_reader --backend cffi
    python -m tests.faults all --small
    python -m tests.faults idle --set connections=15000

Exit code 1: a figure missed its limit.
"""

from __future__ import annotations

import argparse
import functools
import json
import sys
import time

from tests.faults import case
from tests.wire.target import running
from wsgibench import native


def read_pair(text: str) -> tuple[str, object]:
    name, _, value = text.partition("=")
    return name, json.loads(value)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults")
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--small", action="store_true", help="as the tests do")
    parser.add_argument("--backend", default=native.preferred())
    parser.add_argument(
        "--set", action="append", default=[], type=read_pair, metavar="A=JSON"
    )
    arguments = parser.parse_args()
    if arguments.list or not arguments.names:
        for name in case.names():
            print("%-16s %s" % (name, case.load(name).HELP))
        return 0
    names = case.names() if "all" in arguments.names else arguments.names
    start = functools.partial(running, binding=arguments.backend)
    missed = 0
    for name in names:
        module = case.load(name)
        given = module.SMALL if arguments.small else module.FULL
        given = {**(given or module.FULL), **dict(arguments.set)}
        print("%s: %s" % (name, module.HELP))
        began = time.monotonic()
        for figure in module.run(start, **given):
            print("  %s" % figure, flush=True)
            missed += not figure.good
        print("  (%.0f s)" % (time.monotonic() - began))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
