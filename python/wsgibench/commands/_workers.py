"""``load --workers``: the load comes from other machines."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from wsgibench.errors import UsageError

if TYPE_CHECKING:
    from wsgibench.load.generator import OnLive
    from wsgibench.load.spec import LoadSpec

#: They say where workers are, and so mean nothing without them ...
OF_WORKERS = {"bind": "*:5557"}
#: ... or only where ssh starts them.
OF_SSH = {"worker_command": "python3 -m wsgibench", "ssh": "ssh"}
#: Option -> what to do instead, where workers cannot obey it.
INSTEAD = {
    "processes": "each worker is one: start more of them",
    "sweep": "one run at a time",
    "cpu": "pin the workers themselves, by taskset",
    "tool": "workers are our generator",
    "steered_by": "a load from other machines is not steered",
    "window": "workers report each second",
}


def add_arguments(group: Any) -> None:
    add = group.add_argument
    add(
        "--workers",
        default="",
        metavar="N|HOST,HOST",
        help="machines to load from: N that join, or these by ssh",
    )
    add("--bind", default=OF_WORKERS["bind"], help="where they join")
    add(
        "--worker-command",
        default=OF_SSH["worker_command"],
        help="by ssh, on each host",
    )
    add(
        "--ssh",
        default=OF_SSH["ssh"],
        metavar="COMMAND",
        help="and its options",
    )


def _given(
    arguments: argparse.Namespace, defaults: dict[str, Any]
) -> list[str]:
    return [
        "--" + name.replace("_", "-")
        for name, default in defaults.items()
        if getattr(arguments, name, default) != default
    ]


def check(
    arguments: argparse.Namespace, parser: argparse.ArgumentParser
) -> None:
    """UsageError for options that would be ignored."""
    workers = arguments.workers
    defaults = {} if workers else OF_WORKERS
    if not workers or workers.isdecimal():
        defaults = {**defaults, **OF_SSH}
    alone = _given(arguments, defaults)
    if alone:
        raise UsageError(
            "%s is for %s."
            % (alone[0], "hosts of --workers" if workers else "--workers")
        )
    if workers:
        kept = {name: parser.get_default(name) for name in INSTEAD}
        for option in _given(arguments, kept):
            name = option[2:].replace("-", "_")
            raise UsageError(
                "%s does not go with --workers: %s." % (option, INSTEAD[name])
            )


def run(
    arguments: argparse.Namespace, spec: LoadSpec, on_live: OnLive | None
) -> dict[str, Any]:
    from wsgibench.load.target import split_port

    workers = arguments.workers
    hosts = [] if workers.isdecimal() else workers.split(",")
    if not all(hosts) or len(set(hosts)) < len(hosts):
        raise UsageError("%r are not hosts, each once." % workers)
    count = len(hosts) or int(workers)
    if not 0 < count <= spec.connections or 0 < spec.requests < count:
        raise UsageError(
            "%d workers need at least as many connections and requests."
            % count
        )
    bind = split_port(arguments.bind, "a place to bind, like *:5557")
    if bind[1] == 0 or (hosts and bind[0] not in ("*", "127.0.0.1")):
        raise UsageError(
            "workers cannot join at %s%s."
            % (arguments.bind, ": ssh forwards to loopback" if hosts else "")
        )
    from wsgibench.locust import master

    ssh = master.Ssh(arguments.ssh, arguments.worker_command)
    return master.run(spec, workers, bind, ssh, on_live)
