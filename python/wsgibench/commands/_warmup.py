"""How long each start of a run is loaded before it is measured."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

#: Without a JIT, with one.
Pair = tuple[float, float]
AUTO = "auto"
#: Seconds that auto takes at most. A JIT goes on compiling what it meets: what
#: it has at 30 s can be a tenth off what it has at two minutes.
LIMIT, LIMIT_JIT = 30.0, 90.0


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
        metavar="SECONDS",
        help="of auto; what has not settled by then is measured and said "
        "(default: %g, for interpreters with a JIT %g)" % (LIMIT, LIMIT_JIT),
    )
    add(
        "--warmup-limit-jit",
        type=float,
        metavar="SECONDS",
        help="the same for interpreters with a JIT (PyPy) only (default: "
        "--warmup-limit's, if that is given)",
    )
    add(
        "--warmup-jit",
        type=float,
        metavar="SECONDS",
        help="a fixed warm-up for interpreters with a JIT (PyPy) (default: "
        "--warmup's)",
    )


def timed_start() -> Callable[..., dict[str, Any]]:
    """What measures a start by the clock: auto ends as the statistics say."""
    import functools

    from wsgibench.harness import cell
    from wsgibench.stats import shift, warmup

    return functools.partial(
        cell.run, settled=warmup.settled, shift=shift.of_costs
    )


def limits(arguments: argparse.Namespace) -> tuple[float, float]:
    """Of auto: seconds, and seconds with a JIT."""
    from wsgibench.errors import UsageError

    own, jit = arguments.warmup_limit, arguments.warmup_limit_jit
    if jit is None:
        jit = LIMIT_JIT if own is None else own
    if own is None:
        own = LIMIT
    for seconds in (own, jit):
        if not 0 < seconds < 1e6:
            raise UsageError("--warmup-limit takes seconds.")
    return own, jit


def chosen(arguments: argparse.Namespace) -> tuple[Pair, Pair]:
    """(seconds, limits of auto or 0), each without a JIT and with one."""
    from wsgibench.errors import UsageError

    found = limits(arguments)
    if arguments.warmup == AUTO:
        if arguments.warmup_jit is not None:
            raise UsageError("--warmup-jit needs a --warmup in seconds.")
        return (0.0, 0.0), found
    try:
        seconds = float(arguments.warmup)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < 1e6:
        raise UsageError(
            "--warmup takes auto or seconds, not %r." % arguments.warmup
        )
    jit = arguments.warmup_jit
    return (seconds, seconds if jit is None else jit), (0.0, 0.0)
