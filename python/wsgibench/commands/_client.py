"""Where the load of ``run`` comes from."""

from __future__ import annotations

import argparse
import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from wsgibench.commands import _warmup
from wsgibench.errors import UsageError

if TYPE_CHECKING:
    from wsgibench.harness.client import Client

Measure = Callable[..., dict[str, Any]]
WARMUP = "1"  # seconds: nobody steers a load from elsewhere


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add(
        "--client-namespace",
        default="",
        metavar="NAME",
        help="load from this network namespace (ip netns)",
    )
    add(
        "--load-workers",
        default="",
        metavar="N|HOST,HOST",
        help="load from other machines (docs/distributed.md)",
    )
    add(
        "--target-host",
        default="",
        metavar="ADDRESS",
        help="of this machine, where the servers listen (127.0.0.1)",
    )


def chosen(arguments: argparse.Namespace) -> Client | None:
    """None: this machine, as ever."""
    from wsgibench.harness import client

    asked = (
        arguments.client_namespace,
        arguments.load_workers,
        arguments.target_host,
    )
    if not any(asked):
        return None
    if arguments.counted:
        raise UsageError("--counted loads from this machine.")
    found = client.chosen(*asked)
    if found.workers and arguments.warmup == _warmup.AUTO:
        arguments.warmup = WARMUP
    return found


def measurer(client: Client | None, measure: Measure) -> Measure:
    return functools.partial(measure, client=client) if client else measure
