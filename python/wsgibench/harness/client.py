"""Where the load of a run comes from: this machine, another network namespace
of it, or machines whose workers have joined (docs/distributed.md)."""

from __future__ import annotations

import ipaddress
import json
import subprocess
from dataclasses import dataclass, replace
from typing import Any

from wsgibench.errors import UsageError
from wsgibench.load.spec import LoadSpec


@dataclass(frozen=True)
class Client:
    host: str = "127.0.0.1"  # at which its servers listen
    namespace: str = ""
    workers: str = ""  # a number, or hosts for ssh

    def command(self, command: list[str]) -> list[str]:
        """The load generator's, run from where the load comes."""
        if self.workers:
            return [*command, "--workers", self.workers]
        if self.namespace:
            return ["ip", "netns", "exec", self.namespace, *command]
        return command

    def spec(self, asked: LoadSpec) -> LoadSpec:
        """Without what has no meaning there: source addresses of this machine
        and, with workers, its processes."""
        if self.workers:
            asked = replace(asked, processes=1)
        return asked if self.is_here else replace(asked, source="", sources=1)

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
