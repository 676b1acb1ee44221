"""Listening sockets: made from an address, inherited, or taken over.

An address is ``HOST:PORT``, ``unix:/path``, ``unix:@abstract`` or ``fd://N``.
"""

from __future__ import annotations

import array
import contextlib
import os
import socket
import stat
import struct
import sys
from collections.abc import Sequence
from typing import Any

from wsgibench.errors import UsageError, WsgibenchError
from wsgibench.native.numerals import read_number


def resolve(
    host: str, port: int, kind: int, flags: int = 0
) -> tuple[Any, Any, Any, str, Any]:
    """As getaddrinfo(3): the first of what it finds."""
    try:
        return socket.getaddrinfo(host or None, port, 0, kind, 0, flags)[0]
    except socket.gaierror as error:
        raise UsageError("%s." % error.strerror) from error
    except ValueError as error:  # UnicodeError of IDNA is one
        raise UsageError("%r is no name of a host." % host) from error


def listen_tcp(
    host: str, port: int, *, reuse_port: bool = False
) -> socket.socket:
    """Bound, not listening yet: the core does that with its backlog."""
    if not 0 <= port <= 65535:  # getaddrinfo() takes the lower 16 bits
        raise UsageError("a port is 0 to 65535, not %d." % port)
    try:
        family, kind, protocol, _, address = resolve(
            host, port, socket.SOCK_STREAM, socket.AI_PASSIVE
        )
    except UsageError as error:
        raise UsageError(
            "cannot listen on %s:%s: %s" % (host, port, error)
        ) from error
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if reuse_port:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listener.bind(address)
    except OSError as error:
        listener.close()
        raise WsgibenchError(
            "cannot listen on %s:%s: %s." % (host, port, error.strerror)
        ) from error
    return listener


def _remove_stale(path: str) -> None:
    """A socket file that nobody listens on is left from a crash."""
    if not (os.path.exists(path) and stat.S_ISSOCK(os.stat(path).st_mode)):
        return
    with socket.socket(socket.AF_UNIX) as probe:
        probe.setblocking(False)  # one whose queue is full would hold us up
        with contextlib.suppress(BlockingIOError):
            try:
                probe.connect(path)
            except ConnectionRefusedError:
                os.unlink(path)


def check_paths(binds: Sequence[str | None]) -> None:
    """One that is bound but does not listen yet looks stale; the second of
    the same path would take it away."""
    paths = [
        os.path.realpath(bind[len("unix:") :])
        for bind in binds
        if bind is not None
        and bind.startswith("unix:")
        and not bind.startswith("unix:@")
    ]
    for path in paths:
        if paths.count(path) > 1:
            raise UsageError("unix:%s is there twice." % path)


#: Inode of a listener's socket -> device and inode of the file made for it.
_made: dict[int, tuple[int, int]] = {}


def _file_at(path: str) -> tuple[int, int]:
    found = os.stat(path)
    return found.st_dev, found.st_ino


def listen_unix(path: str, mode: int | None = None) -> socket.socket:
    """``mode``: permissions of the file, as chmod(2)."""
    if path in ("", "@"):
        raise UsageError("unix:%s names no socket." % path)
    address = "\0" + path[1:] if path.startswith("@") else path
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        if not path.startswith("@"):
            _remove_stale(path)
        if mode is None or path.startswith("@"):
            listener.bind(address)
        else:
            old = os.umask(0o777 & ~mode)  # never open to more, for no moment
            try:
                listener.bind(address)
                os.chmod(path, mode)
            finally:
                os.umask(old)
        if not path.startswith("@"):
            _made[os.fstat(listener.fileno()).st_ino] = _file_at(path)
    except OSError as error:
        listener.close()
        raise WsgibenchError(
            "cannot listen on unix:%s: %s." % (path, error.strerror or error)
        ) from error
    return listener


def inherited(fd: int) -> socket.socket:
    try:
        listener = socket.socket(fileno=fd)
        listener.getsockname()
    except OSError as error:
        raise UsageError(
            "fd://%d is not a socket: %s." % (fd, error.strerror)
        ) from error
    except OverflowError as error:
        raise UsageError("fd://%d is no descriptor." % fd) from error
    if listener.type != socket.SOCK_STREAM:
        raise UsageError("fd://%d is not a stream socket." % fd)
    listener.set_inheritable(False)
    return listener


FIRST_OF_SYSTEMD = 3


def from_systemd() -> list[str]:
    """Addresses of the sockets that systemd (or its like) has opened for
    this process: sd_listen_fds(3)."""
    count, pid = os.environ.get("LISTEN_FDS"), os.environ.get("LISTEN_PID")
    if count is None or pid != str(os.getpid()):
        return []
    for name in ("LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES"):
        os.environ.pop(name, None)
    number = read_number(count)
    if number is None:
        raise UsageError("LISTEN_FDS is a number, not %r." % count)
    return [
        "fd://%d" % fd
        for fd in range(FIRST_OF_SYSTEMD, FIRST_OF_SYSTEMD + number)
    ]


def is_inherited(bind: str | None) -> bool:
    return bind is not None and bind.startswith("fd://")


def open_listener(
    host: str,
    port: int,
    bind: str | None = None,
    *,
    reuse_port: bool = False,
    uds_mode: int | None = None,
) -> socket.socket:
    if bind is None:
        return listen_tcp(host, port, reuse_port=reuse_port)
    if bind.startswith("unix:"):
        return listen_unix(bind[5:], uds_mode)
    if is_inherited(bind):
        fd = read_number(bind[5:])
        if fd is None:
            raise UsageError("%r is not an address like fd://3." % bind)
        return inherited(fd)
    name, colon, digits = bind.rpartition(":")
    number = read_number(digits)
    if not colon or number is None:
        raise UsageError(
            "%r is not an address: use HOST:PORT, unix:/path, "
            "unix:@name or fd://N." % bind
        )
    return listen_tcp(name.strip("[]"), number, reuse_port=reuse_port)


def describe(listener: socket.socket, scheme: str = "http") -> str:
    """A URL for the address, for people and clients."""
    address = listener.getsockname()
    if listener.family == socket.AF_UNIX:
        text = os.fsdecode(address)
        return "unix:" + ("@" + text[1:] if text[:1] == "\0" else text)
    host, port = address[:2]
    if listener.family == socket.AF_INET6:
        host = "[%s]" % host
    return "%s://%s:%d" % (scheme, host, port)


def is_tcp(listener: socket.socket) -> bool:
    return listener.family in (socket.AF_INET, socket.AF_INET6)


def names(listener: socket.socket) -> tuple[str, str]:
    """SERVER_NAME and SERVER_PORT (PEP 3333: neither may be empty)."""
    if listener.family == socket.AF_UNIX:
        return "localhost", "80"
    host, port = listener.getsockname()[:2]
    return host, str(port)


def path_of(listener: socket.socket) -> str | None:
    """The file of a unix socket; abstract names, which are bytes, have
    none."""
    address = listener.getsockname()
    return address if isinstance(address, str) and address else None


def remove_path(listener: socket.socket) -> None:
    """Unlinks the file of a unix socket that was made here; another server
    may have put its own in that place."""
    path = path_of(listener)
    if path is None:
        return
    made = _made.get(os.fstat(listener.fileno()).st_ino)
    with contextlib.suppress(OSError):
        if made in (None, _file_at(path)):
            os.unlink(path)


# Stopping -------------------------------------------------------------------

# Linux numbers that the socket module does not name (asm-generic/socket.h).
SO_ATTACH_FILTER = 26
#: Classic BPF on the TCP header: a segment whose flags are SYN without ACK is
#: dropped, all others pass. (code, jump if true, jump if false, k)
NO_NEW_CLIENTS = (
    (0x30, 0, 0, 13),  # A = the byte of the flags (RFC 9293, 3.1)
    (0x54, 0, 0, 0x12),  # A &= SYN | ACK
    (0x15, 0, 1, 0x02),  # A == SYN?
    (0x06, 0, 0, 0),  # drop it
    (0x06, 0, 0, 0xFFFFFFFF),  # pass
)


def seal(listener: socket.socket) -> None:
    """No client can enter the queue any more; who is in it can be accepted.

    Between the last accept() and close() the kernel would go on completing
    handshakes, and close() resets those clients. A dropped SYN is repeated a
    second later, and refused then. It holds for all processes that share the
    socket, for ever: only for a socket that no one needs afterwards.
    """
    if listener.family == socket.AF_UNIX:
        remove_path(listener)
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RD)
    elif sys.platform == "linux":
        program = b"".join(struct.pack("=HBBI", *i) for i in NO_NEW_CLIENTS)
        code = array.array("B", program)
        # struct sock_fprog: the count and the address of the instructions
        pointer = struct.pack(
            "@HP", len(NO_NEW_CLIENTS), code.buffer_info()[0]
        )
        with contextlib.suppress(OSError):
            listener.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, pointer)
