"""``python -m wsgibench doctor``: is this machine fit to measure on?"""

from __future__ import annotations

import argparse

HELP = "say what on this machine disturbs a measurement, and how to mend it"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--strict", action="store_true", help="exit with 1 on any warning"
    )


def _bindings() -> list[str]:
    """The binding that would be used, and the other where it was built."""
    from wsgibench import native

    used = native.preferred()
    return [
        "binding %s: %s" % (name, reason or "works")
        for name, reason in native.importable().items()
        if name == used or not reason
    ]


def run(arguments: argparse.Namespace) -> int:
    from wsgibench.harness import disturbances, machine

    described = machine.describe()
    print(
        "%s, CPUs %s, kernel %s"
        % (described["cpu"], described["cpus"], described["kernel"])
    )
    for line in _bindings():
        print(line)
    findings = disturbances.find()
    for line in disturbances.lines(findings):
        print(line)
    if not findings:
        print("nothing disturbs a measurement here")
    warned = any(one.level == disturbances.WARNING for one in findings)
    return int(arguments.strict and warned)
