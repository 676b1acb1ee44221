"""One fault: what is done to the server, and what it must still do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Notes = list[list[Any]]
#: Bytes of an endless message, far beyond every server's own limits.
MOST = 16 << 20


@dataclass(frozen=True)
class Fault:
    """`clients` connections send `send` each, take `read` bytes of the answer
    and then do what `then` says. However it ends, the server must live, and
    answer a request behind it."""

    name: str
    rule: str
    level: str  # must, should, robust
    send: bytes = b""
    clients: int = 1
    read: int = 0
    #: hold (and say nothing more), reset, close, half-close (and read the
    #: answer to its end).
    then: str = "hold"
    #: Sent again and again, up to MOST bytes; the server has to refuse it, or
    #: to stop reading.
    endless: bytes = b""
    meanwhile: bool = False  # another client is answered while these hold
    whole: bool = False  # each client must get a complete 200
    #: What is wrong with what the application noted; "" for nothing.
    noted: Callable[[Notes], str] | None = None
    notes: int = 0  # how many must come
    within: float = 1.0  # seconds that they are waited for
    #: Done to the process instead (see processes.py).
    process: str = ""
    family: str = ""


def request(
    name: str, method: str = "GET", lines: tuple[str, ...] = ()
) -> bytes:
    """The head of a request for a function of behaviours."""
    head = ["%s /wsgi/%s HTTP/1.1" % (method, name), "Host: localhost"]
    return ("\r\n".join([*head, *lines]) + "\r\n\r\n").encode("latin-1")
