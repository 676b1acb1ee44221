"""How long each start of a run is loaded before it is measured."""

from __future__ import annotations

import argparse

AUTO = "auto"
LIMIT = 30.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add(
        "--warmup",
        default=AUTO,
        metavar="auto|SECONDS",
        help="auto: until the CPU per request of a start is in a steady "
        "state, with a JIT or without (default)",
    )
    add(
        "--warmup-limit",
        type=float,
        default=LIMIT,
        metavar="SECONDS",
        help="of auto; what has not settled by then is measured and said "
        "(default: %(default)g)",
    )
    add(
        "--warmup-jit",
        type=float,
        metavar="SECONDS",
        help="a fixed warm-up for interpreters with a JIT (PyPy)",
    )


def chosen(arguments: argparse.Namespace) -> tuple[tuple[float, float], float]:
    """((seconds, seconds with a JIT), limit of auto or 0)."""
    from wsgibench.errors import UsageError

    if arguments.warmup_limit <= 0:
        raise UsageError("--warmup-limit takes seconds.")
    if arguments.warmup == AUTO:
        if arguments.warmup_jit is not None:
            raise UsageError("--warmup-jit needs a --warmup in seconds.")
        return (0.0, 0.0), float(arguments.warmup_limit)
    try:
        seconds = float(arguments.warmup)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < 1e6:
        raise UsageError(
            "--warmup takes auto or seconds, not %r." % arguments.warmup
        )
    jit = arguments.warmup_jit
    return (seconds, seconds if jit is None else jit), 0.0
