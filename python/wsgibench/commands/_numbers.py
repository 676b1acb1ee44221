"""Numbers of a command line that make no sense, nan among them."""

from __future__ import annotations

import argparse

from wsgibench.errors import UsageError

#: Of any number, as for `load`: seconds of a century.
MOST = 4e9
#: Of what is done again and again, all of which is planned first.
MOST_TIMES = 100_000


def counts(least: int, arguments: argparse.Namespace, *names: str) -> None:
    """How many times something is done."""
    at_least(least, arguments, *names, most=MOST_TIMES)


def at_least(
    least: float,
    arguments: argparse.Namespace,
    *names: str,
    most: float = MOST,
) -> None:
    """Those that are not given (None) are not looked at."""
    for name in names:
        value = getattr(arguments, name)
        if value is not None and not value >= least:
            raise UsageError("--%s is at least %g." % (_option(name), least))
        if value is not None and value > most:
            raise UsageError("--%s is at most %.10g." % (_option(name), most))


def positive(arguments: argparse.Namespace, *names: str) -> None:
    for name in names:
        value = getattr(arguments, name)
        if value is not None and not value > 0:
            raise UsageError("--%s is more than 0." % _option(name))
    at_least(0, arguments, *names)


def port(number: int) -> None:
    if not 0 <= number <= 65535:
        raise UsageError("a port is 0 to 65535, not %d." % number)


def _option(name: str) -> str:
    return name.replace("_", "-")
