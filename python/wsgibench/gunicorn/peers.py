"""Which peers may tell of the client: forwarded_allow_ips, and the balancers
of proxy_allow_ips."""

from __future__ import annotations

import functools
import ipaddress
from collections.abc import Callable
from typing import Any

from wsgibench.native import proxies
from wsgibench.native.proxies import Network


def _networks(cfg: Any, setting: str) -> list[Network]:
    """Of a setting's addresses and networks; "*" is everybody."""
    allowed = getattr(cfg, setting)
    names = allowed.split(",") if isinstance(allowed, str) else list(allowed)
    names = [str(name).strip() for name in names]
    if "*" in names:
        names = ["0.0.0.0/0", "::/0"]
    return [proxies.network(setting, name) for name in names if name]


def check(cfg: Any) -> None:
    """UsageError for what is no address."""
    for setting in ("forwarded_allow_ips", "proxy_allow_ips"):
        _networks(cfg, setting)


def _within(network: Network, others: list[Network]) -> bool:
    return any(
        network.version == other.version and network.subnet_of(other)  # type: ignore[arg-type]
        for other in others
    )


def balancers_forward(cfg: Any) -> set[bool]:
    """Whether balancers may set forwarded fields: {True}, {False}, or both
    if it depends on the balancer."""
    forwarders = _networks(cfg, "forwarded_allow_ips")
    found = set()
    for balancer in _networks(cfg, "proxy_allow_ips"):
        within = _within(balancer, forwarders)
        found.add(within)
        if not within and any(map(balancer.overlaps, forwarders)):
            found.add(True)
    if any(isinstance(address, str) for address in cfg.address):
        found.add(True)  # gunicorn trusts the clients of a unix socket
        if all(isinstance(address, str) for address in cfg.address):
            found = {True}
    return found


def who_may_forward(
    cfg: Any, has_proxy_protocol: bool
) -> Callable[[str], bool]:
    """Asked with REMOTE_ADDR. Behind a PROXY header that is the client; what
    counts is the balancer, and settings.check() has seen that all are one or
    the other."""
    if has_proxy_protocol:
        (may,) = balancers_forward(cfg)
        return lambda address: may
    networks = _networks(cfg, "forwarded_allow_ips")

    @functools.lru_cache(1024)
    def is_allowed(address: str) -> bool:
        if not address:
            return True  # a unix socket
        try:
            found = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(found in network for network in networks)

    return is_allowed
