"""What the kernel knows of a listening socket, from sock_diag(7) over
netlink: no fork, no tool, and of this socket alone.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass

NETLINK_SOCK_DIAG = 4
SOCK_DIAG_BY_FAMILY = 20
NLM_F_REQUEST_DUMP = 0x301
NLMSG_ERROR, NLMSG_DONE = 2, 3
TCP_LISTEN = 10
INET_DIAG_SKMEMINFO = 7
SK_MEMINFO_DROPS = 8

HEADER = struct.Struct("=IHHII")  # struct nlmsghdr
REQUEST = struct.Struct("=BBBBI48s")  # struct inet_diag_req_v2
#: struct inet_diag_msg: family, state, timer, retrans, ports (big-endian),
#: the rest of the id, expires, rqueue, wqueue, uid, inode.
MESSAGE = struct.Struct("=BBBB2s2s44sIIIII")
ATTRIBUTE = struct.Struct("=HH")


@dataclass(frozen=True)
class Listener:
    waiting: int  # connections in the accept queue
    backlog: int
    drops: int  # connections that it dropped, ever (SK_MEMINFO_DROPS)
    inode: int


def _messages(connection: socket.socket) -> Iterator[bytes]:
    while True:
        data = connection.recv(1 << 16)
        while len(data) >= HEADER.size:
            size, kind, *_ = HEADER.unpack_from(data)
            if kind in (NLMSG_ERROR, NLMSG_DONE) or size < HEADER.size:
                return
            yield data[HEADER.size : size]
            data = data[(size + 3) & ~3 :]


def _drops(data: bytes) -> int:
    while len(data) >= ATTRIBUTE.size:
        size, kind = ATTRIBUTE.unpack_from(data)
        if size < ATTRIBUTE.size:
            return 0
        if kind == INET_DIAG_SKMEMINFO and size >= 4 + 4 * 9:
            return int(struct.unpack_from("=9I", data, 4)[SK_MEMINFO_DROPS])
        data = data[(size + 3) & ~3 :]
    return 0


def listeners(port: int, family: int = socket.AF_INET) -> list[Listener]:
    """All that listen on the TCP port (several with SO_REUSEPORT); [] where
    the kernel does not tell."""
    request = REQUEST.pack(
        family,
        socket.IPPROTO_TCP,
        1 << (INET_DIAG_SKMEMINFO - 1),
        0,
        1 << TCP_LISTEN,
        struct.pack(">HH", port, 0) + bytes(44),
    )
    size = HEADER.size + len(request)
    head = HEADER.pack(size, SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST_DUMP, 1, 0)
    found = []
    try:
        with socket.socket(
            socket.AF_NETLINK, socket.SOCK_DGRAM, NETLINK_SOCK_DIAG
        ) as connection:
            connection.settimeout(2.0)
            connection.bind((0, 0))
            connection.send(head + request)
            for message in _messages(connection):
                if len(message) < MESSAGE.size:
                    continue
                fields = MESSAGE.unpack_from(message)
                if int.from_bytes(fields[4], "big") != port:
                    continue
                found.append(
                    Listener(
                        fields[8],
                        fields[9],
                        _drops(message[MESSAGE.size :]),
                        fields[11],
                    )
                )
    except (OSError, AttributeError):
        return []
    return found


def drops(port: int) -> int | None:
    """Connections that the listeners of this port have dropped so far."""
    found = listeners(port)
    return sum(one.drops for one in found) if found else None
