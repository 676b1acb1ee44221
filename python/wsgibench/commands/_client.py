"""Where the load of ``run`` comes from."""

from __future__ import annotations

import argparse
import functools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from wsgibench.commands import _warmup
from wsgibench.errors import UsageError

if TYPE_CHECKING:
    from wsgibench.harness.client import Client
    from wsgibench.harness.plan import Cell

Measure = Callable[..., dict[str, Any]]
WARMUP = "1"  # seconds: a load from elsewhere is not steered


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
        help="of this machine, where the servers listen (default: 127.0.0.1; "
        "with --client-namespace ours in a network of it)",
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
    if found.workers and arguments.app:
        raise UsageError("--app is not loaded by --load-workers.")
    if found.workers and arguments.warmup == _warmup.AUTO:
        arguments.warmup = WARMUP
    return found


def check(client: Client | None, cells: Sequence[Cell]) -> None:
    """UsageError for cells that this client cannot load."""
    if client is None or not client.workers:
        return
    tools = {cell.load.tool for cell in cells} - {""}
    if tools:
        raise UsageError(
            "--load-workers loads with our generator, not with %s."
            % ", ".join(sorted(tools))
        )


def measurer(client: Client | None, measure: Measure) -> Measure:
    return functools.partial(measure, client=client) if client else measure
