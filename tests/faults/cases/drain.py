"""SIGTERM with work under way and idle connections open."""

from __future__ import annotations

import os
import signal
import socket
import tempfile
import time
from collections.abc import Iterator
from typing import Any

from tests.faults.case import APP, Start, address_of
from tests.faults.figure import Figure, least, most
from tests.faults.measure import room_for_descriptors
from tests.faults.swarm import GET, Swarm

HELP = "SIGTERM with 100 requests under way and 1,000 idle: none lost"
SMALL: dict[str, Any] = {"busy": 20, "idle": 200}
FULL: dict[str, Any] = {"busy": 100, "idle": 1000}


def refused(address: tuple[str, int]) -> bool:
    try:
        socket.create_connection(address, 5).close()
    except ConnectionRefusedError:
        return True
    except OSError:
        return False
    return False


def run(start: Start, busy: int, idle: int) -> Iterator[Figure]:
    room_for_descriptors(busy + idle + 200)
    with (
        tempfile.NamedTemporaryFile() as gate,
        start(APP, threads=busy) as target,
    ):
        address = address_of(target)
        with Swarm(address) as swarm:
            resting = swarm.open(idle, GET)
            assert swarm.until(lambda: swarm.answered(resting))
            ask = b"GET /wait?file=%b HTTP/1.1\r\nHost: a\r\n\r\n"
            ask %= gate.name.encode()
            working = swarm.open(busy, ask)
            # No thread is free to tell that all have been read; the kernel
            # is.
            assert swarm.until(lambda: not unread(swarm))
            target.process.send_signal(signal.SIGTERM)
            asked = time.monotonic()
            gone = swarm.until(lambda: all(c.ended for c in resting))
            yield least("idle connections closed", float(gone), 1)
            yield most("... after", time.monotonic() - asked, 1, "s")
            yield least("new connections refused", float(refused(address)), 1)
            early = sum(bool(client.ended) for client in working)
            yield most("answers before their time", early, 0)
            os.rename(gate.name, gate.name + ".open")
            swarm.until(lambda: all(c.ended for c in working))
            os.rename(gate.name + ".open", gate.name)
            whole = [c for c in working if c.data.endswith(b"\r\n\r\nHello")]
            last = [c for c in working if b"\r\nConnection: close" in c.data]
            yield least("answers not lost", len(whole), busy)
            yield least("of them with Connection: close", len(last), busy)
            ended = max(c.ended or 1e9 for c in working)
            code = target.process.wait(30)
            took = time.monotonic() - ended
            yield most("until the end of the process", took, 1, "s")
            yield most("exit code", abs(code), 0)


def unread(swarm: Swarm) -> bool:
    """Bytes that the server has not taken from the kernel yet (a request in
    the receive queue of one of its sockets)."""
    port = ":%04X" % swarm.address[1]
    with open("/proc/net/tcp") as file:
        for line in file:
            fields = line.split()
            ours = fields[1].endswith(port) and fields[3] in ("01", "0A")
            if ours and int(fields[4].split(":")[1], 16):
                return True
    return False
