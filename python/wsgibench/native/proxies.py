"""Settings of a server behind proxies, checked with sentences; the core
applies them (csrc/core/server/proxied.c)."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from typing import Any, Union

from wsgibench.errors import UsageError

HEADERS = (
    "x-forwarded-for",
    "x-forwarded-proto",
    "x-forwarded-host",
    "forwarded",
)


def split(text: str) -> list[str]:
    return text.replace(",", " ").split()


def addresses(name: str) -> Callable[[Any], str]:
    """A converter for the setting `name`: a list of who is trusted."""

    def convert(value: Any) -> str:
        return ",".join(
            entry if entry in ("*", "unix") else str(network(name, entry))
            for entry in split(value)
        )

    return convert


Network = Union[ipaddress.IPv4Network, ipaddress.IPv6Network]


def network(name: str, entry: str) -> Network:
    """Of an address or a network; a netmask becomes a length, which is what
    the core reads. Zones (fe80::1%eth0) belong to one machine, and
    REMOTE_ADDR has none."""
    try:
        if "%" not in entry:
            return ipaddress.ip_network(entry, strict=False)
    except ValueError:
        pass
    raise UsageError(
        "%s is a list of addresses and networks, unix and *; %r is none of "
        "them." % (name, entry)
    )


def headers(value: Any) -> str:
    names = [name.lower() for name in split(value)]
    for name in names:
        if name not in HEADERS:
            raise UsageError(
                "forwarded_headers names some of %s, not %r."
                % (", ".join(HEADERS), name)
            )
    return ",".join(names)


def underscored(value: Any) -> str:
    names = [name.lower() for name in split(value)]
    for name in names:
        if name != "*" and not re.fullmatch(r"[\w!#$%&'*+.^`|~-]*_.*", name):
            raise UsageError(
                "underscored_headers names fields with _, like X_USER, or "
                "*, not %r." % name
            )
    return ",".join(names)


def mode(value: Any) -> int:
    if value not in (0, 1, 2):
        raise UsageError(
            "proxy_protocol is 0 (off), 1 (every connection) or 2 (those "
            "from proxy_allow_ips), not %r." % (value,)
        )
    return int(value)


def root_path(value: Any) -> str | None:
    if value in ("", "/"):
        return None
    if value[0] != "/" or "//" in value or "\0" in value:
        raise UsageError("root_path is like /app, not %r." % value)
    return str(value)
