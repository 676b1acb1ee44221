"""Where requests go: what a URL says."""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass
from urllib.parse import urlsplit

from wsgibench.errors import UsageError


@dataclass(frozen=True)
class Target:
    host: str  # numeric address, or unix:/path
    port: int
    path: str  # the request target (RFC 9112 3.2.1)
    authority: str  # for Host
    tls: bool = False
    name: str = ""  # for SNI (RFC 6066 3: never an address)


def _server_name(host: str) -> str:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return host
    return ""


def parse_target(url: str) -> Target:
    if url.startswith("unix:"):
        path, _, target = url.partition("|")
        return Target(path, 0, target or "/", "localhost")
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UsageError(
            "%r is not a URL like http://127.0.0.1:8000/, https://... or "
            "unix:/path|/target." % url
        )
    tls = parts.scheme == "https"
    try:
        port = parts.port or (443 if tls else 80)
        address = socket.getaddrinfo(
            parts.hostname, port, type=socket.SOCK_STREAM
        )[0][4][0]
    except (OSError, ValueError) as error:
        raise UsageError("cannot resolve %r: %s." % (url, error)) from error
    target = parts.path or "/"
    if parts.query:
        target += "?" + parts.query
    authority = parts.netloc.rpartition("@")[2]
    return Target(
        str(address),
        port,
        target,
        authority,
        tls,
        _server_name(parts.hostname) if tls else "",
    )
