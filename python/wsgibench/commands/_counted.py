"""``run --counted``: what it asks for otherwise than a timed run."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

#: One connection at a time: what two requests share in a turn of the server's
#: loop depends on the clock.
CONNECTIONS = "1"
STARTS = 2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("counted instead of timed")
    group.add_argument(
        "--counted",
        action="store_true",
        help="count instructions, system calls, switches and allocations of "
        "a request; the same on a busy machine (default: 1 connection, 2 "
        "starts)",
    )
    group.add_argument(
        "--counter",
        choices=["callgrind", "perf"],
        default="",
        help="what counts instructions (callgrind, if valgrind is there)",
    )


def arrange(arguments: argparse.Namespace) -> None:
    """Fills in what was left open; UsageError for what cannot be counted."""
    from wsgibench.errors import UsageError

    if not arguments.counted:
        if arguments.counter:
            raise UsageError("--counter goes with --counted.")
        if arguments.connections is None:
            arguments.connections = "64"
        return
    for name in ("suite", "precision"):
        if getattr(arguments, name):
            raise UsageError("--counted and --%s exclude each other." % name)
    if arguments.rate != "0":
        raise UsageError("what is counted is asked in the closed loop only.")
    if arguments.connections is None:
        arguments.connections = CONNECTIONS
    arguments.starts = arguments.starts or STARTS
    arguments.again = 0
    if arguments.aa is None:
        arguments.aa = False


def measurer(
    arguments: argparse.Namespace,
) -> Callable[..., dict[str, Any]]:
    """What measures a start."""
    from wsgibench.commands import _warmup
    from wsgibench.harness.counted import measure

    if not arguments.counted:
        return _warmup.timed_start()
    return measure.measurer(measure.counter(arguments.counter))
