"""Where requests go: what a URL says."""

from __future__ import annotations

import base64
import os
import re
import socket
from collections.abc import Sequence
from dataclasses import dataclass, replace
from urllib.parse import quote, unquote, urlsplit

from wsgibench.errors import UsageError
from wsgibench.load.values import whole

#: What of a URL goes out as it is: RFC 3986's characters, "%" of what is
#: encoded already, and braces, in which templates stand.
KEPT = "!#$%&'()*+,-./:;=?@[]_~{}|^`\\\"<>"

MAX_UNIX = 107  # unix(7): sun_path, with its NUL
MAX_PORT = 65_535
MAX_ADDRESSES = 255  # of one name
#: HOST:PORT:ADDRESS[,ADDRESS ...]
RULE = re.compile(r"(\[[^]]+\]|[^:]+):([0-9]+):(.+)")


@dataclass(frozen=True)
class Target:
    addresses: str  # numeric, one a line; or unix:/path
    port: int
    path: str  # the request target (RFC 9112 3.2.1)
    authority: str  # for Host
    tls: bool = False
    name: str = ""  # whom the certificate must name
    credentials: str = ""  # of the URL, for Basic (RFC 7617): base64

    @property
    def is_unix(self) -> bool:
        return self.addresses.startswith("unix:")

    def first(self) -> tuple[str, int]:
        return self.addresses.split("\n", 1)[0], self.port


def encoded(target: str) -> str:
    """With blanks and what is not ASCII in UTF-8, percent-encoded."""
    return quote(target.encode("utf-8", "surrogateescape"), safe=KEPT)


def host_name(name: str) -> str:
    """As DNS and TLS know it: in ASCII (RFC 5890)."""
    try:
        return name.encode("ascii" if ":" in name else "idna").decode()
    except UnicodeError as error:
        raise UsageError("%.80r is no name of a host." % name) from error


def basic(user: str, password: str) -> str:
    pair = "%s:%s" % (user, password)
    return base64.b64encode(pair.encode("utf-8")).decode("ascii")


def split_port(text: str, what: str) -> tuple[str, int]:
    """``HOST:PORT``; an IPv6 address stands in brackets."""
    host, _, port = text.rpartition(":")
    number = whole(port, MAX_PORT)
    if not host or not number:
        raise UsageError("%r is not %s." % (text, what))
    return host.strip("[]"), number


def _overridden(
    host: str, port: int, resolve: Sequence[str]
) -> list[str] | None:
    """The addresses that ``HOST:PORT:ADDRESS[,ADDRESS...]`` gives."""
    for rule in resolve:
        match = RULE.fullmatch(rule)
        of_port = whole(match[2], MAX_PORT) if match else None
        if match is None or of_port is None:
            raise UsageError(
                "%r is not like example.org:443:127.0.0.1." % rule
            )
        name = match[1].strip("[]").lower()
        if name in (host, "*") and of_port == port:
            return [one.strip("[]") for one in match[3].split(",")]
    return None


def _addresses(host: str, port: int, resolve: Sequence[str]) -> str:
    """All of them, in the resolver's order (RFC 6724)."""
    found = []
    for name in _overridden(host, port, resolve) or [host]:
        try:
            answers = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise UsageError(
                "cannot resolve %r: %s." % (name, error)
            ) from error
        found += [str(answer[4][0]) for answer in answers]
    different = list(dict.fromkeys(found))
    if len(different) > MAX_ADDRESSES:
        raise UsageError(
            "%s has %d addresses; %d are enough."
            % (host, len(different), MAX_ADDRESSES)
        )
    return "\n".join(different)


def _unix(url: str) -> Target:
    path, _, target = url.partition("|")
    size = len(os.fsencode(path)) - len("unix:")
    if not 0 < size <= MAX_UNIX:
        raise UsageError(
            "the name of a Unix socket has 1 to %d bytes, not %d."
            % (MAX_UNIX, size)
        )
    return Target(path, 0, encoded(target or "/"), "localhost")


def parse_target(
    url: str, connect_to: str = "", resolve: Sequence[str] = ()
) -> Target:
    """``connect_to``: another ``HOST:PORT`` to connect to, with the URL's
    own Host and server name."""
    if url.startswith("unix:"):
        return _unix(url)
    try:
        parts = urlsplit(url)
        # RFC 6874: "%25" and the zone of a link-local address.
        host = (parts.hostname or "").replace("%25", "%", 1)
        tls = parts.scheme == "https"
        port = parts.port
    except ValueError as error:
        raise UsageError("%r is not a URL: %s." % (url, error)) from error
    if port is None:
        port = 443 if tls else 80
    if port == 0:
        raise UsageError("%r: port 0 cannot be connected to." % url)
    if parts.scheme not in ("http", "https") or not host:
        raise UsageError(
            "%r is not a URL like http://127.0.0.1:8000/, https://... or "
            "unix:/path|/target." % url
        )
    to = (host, port)
    if connect_to:
        to = split_port(
            connect_to, "a place to connect to, like 127.0.0.1:8443"
        )
    ascii_host = host_name(host)
    target = encoded(parts.path or "/")
    if parts.query:
        target += "?" + encoded(parts.query)
    shown = "[%s]" % ascii_host if ":" in ascii_host else ascii_host
    made = Target(
        _addresses(*to, resolve),
        to[1],
        target,
        shown if parts.port is None else "%s:%d" % (shown, parts.port),
        tls,
        ascii_host.partition("%")[0] if tls else "",
    )
    if not parts.username and not parts.password:
        return made
    return replace(
        made,
        credentials=basic(
            unquote(parts.username or ""), unquote(parts.password or "")
        ),
    )
