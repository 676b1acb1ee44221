"""What the kernel says of one listener, beside others that have troubles."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Iterator

import pytest

from wsgibench.harness import sockets


@contextlib.contextmanager
def listener(backlog: int) -> Iterator[socket.socket]:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        found.listen(backlog)
        yield found


def flood(port: int, stack: contextlib.ExitStack) -> None:
    """More connections than a listener of backlog 1 keeps; the others are
    dropped as they come in."""
    for _ in range(6):
        client = stack.enter_context(socket.socket())
        client.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            client.connect(("127.0.0.1", port))


def test_drops_are_of_the_listener_that_dropped() -> None:
    with listener(1) as full, listener(7) as calm:
        ports = [one.getsockname()[1] for one in (full, calm)]
        if sockets.drops(ports[0]) is None:
            pytest.skip("this kernel has no sock_diag")
        assert [sockets.drops(port) for port in ports] == [0, 0]
        with contextlib.ExitStack() as stack:
            flood(ports[0], stack)
            (found,) = sockets.listeners(ports[0])
        assert found.backlog == 1
        assert found.waiting == 2  # one more than its backlog, as on Linux
        assert found.drops >= 3
        (other,) = sockets.listeners(ports[1])
        assert (other.waiting, other.backlog, other.drops) == (0, 7, 0)
        assert other.inode == os.fstat(calm.fileno()).st_ino


def test_a_port_without_a_listener() -> None:
    with listener(1) as found:
        port = found.getsockname()[1]
    assert sockets.listeners(port) == []
    assert sockets.drops(port) is None
