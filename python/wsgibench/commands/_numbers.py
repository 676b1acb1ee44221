"""Numbers of a command line that make no sense, nan among them."""

from __future__ import annotations

import argparse
import math

from wsgibench.errors import UsageError


def at_least(least: float, arguments: argparse.Namespace, *names: str) -> None:
    """Those that are not given (None) are not looked at."""
    for name in names:
        value = getattr(arguments, name)
        if value is not None and not least <= value < math.inf:
            raise UsageError("--%s is at least %g." % (_option(name), least))


def positive(arguments: argparse.Namespace, *names: str) -> None:
    for name in names:
        value = getattr(arguments, name)
        if value is not None and not 0 < value < math.inf:
            raise UsageError("--%s is more than 0." % _option(name))


def port(number: int) -> None:
    if not 0 <= number <= 65535:
        raise UsageError("a port is 0 to 65535, not %d." % number)


def _option(name: str) -> str:
    return name.replace("_", "-")
