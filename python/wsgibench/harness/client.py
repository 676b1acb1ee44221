"""Where the load of a run comes from: this machine, another network namespace
of it, or machines whose workers have joined (docs/distributed.md)."""

from __future__ import annotations

import ipaddress
import json
import subprocess
from dataclasses import dataclass
from typing import Any

from wsgibench.errors import UsageError

#: Options of the load generator, with a value each, that mean nothing from
#: elsewhere.
OF_ONE_NETWORK = ("--source", "--sources")
OF_ONE_MACHINE = ("--cpu", "--processes")


def _without(command: list[str], options: tuple[str, ...]) -> list[str]:
    """Each with its value."""
    pairs = zip(["", *command], command)
    return [
        word
        for before, word in pairs
        if word not in options and before not in options
    ]


@dataclass(frozen=True)
class Client:
    host: str = "127.0.0.1"  # at which its servers listen
    namespace: str = ""
    workers: str = ""  # a number, or hosts for ssh

    def command(self, command: list[str]) -> list[str]:
        """The load generator's, run from where the load comes."""
        if self.workers:
            there = _without(command, OF_ONE_NETWORK + OF_ONE_MACHINE)
            return [*there, "--workers", self.workers]
        if self.namespace:
            there = _without(command, OF_ONE_NETWORK)
            return ["ip", "netns", "exec", self.namespace, *there]
        return command

    @property
    def is_here(self) -> bool:
        return not self.workers and not self.namespace

    def to_json(self) -> dict[str, Any]:
        return {
            "host": self.host,
            "namespace": self.namespace,
            "workers": self.workers,
        }


HERE = Client()


def _networks(*words: str) -> list[ipaddress.IPv4Interface]:
    """The addresses of a namespace, loopback left out."""
    try:
        said = subprocess.run(
            ["ip", *words, "-j", "-4", "addr"],
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        links = json.loads(said)
    except FileNotFoundError as error:
        raise UsageError("namespaces need iproute2's ip.") from error
    except subprocess.CalledProcessError as error:
        raise UsageError(
            "there is no such namespace for us: %s." % error.stderr.strip()
        ) from error
    found = [
        ipaddress.IPv4Interface("%(local)s/%(prefixlen)d" % one)
        for link in links
        for one in link.get("addr_info", ())
    ]
    return [one for one in found if not one.ip.is_loopback]


def in_namespace(name: str, host: str = "") -> Client:
    """``host``: our address; "": the one in a network of the namespace's."""
    theirs = [one.network for one in _networks("-n", name)]
    ours = [one for one in _networks() if one.network in theirs]
    if not host and not ours:
        raise UsageError(
            "namespace %s has no network with us: give it a veth, or say "
            "--target-host." % name
        )
    return Client(host or str(ours[0].ip), namespace=name)


def of_workers(workers: str, host: str) -> Client:
    if not host:
        raise UsageError(
            "--load-workers needs --target-host: the address by which they "
            "reach this machine."
        )
    return Client(host, workers=workers)


def chosen(namespace: str, workers: str, host: str) -> Client:
    """UsageError for what does not go together."""
    if namespace and workers:
        raise UsageError(
            "--client-namespace and --load-workers are two clients."
        )
    if namespace:
        return in_namespace(namespace, host)
    if workers:
        return of_workers(workers, host)
    return Client(host or HERE.host)
