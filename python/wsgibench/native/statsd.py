"""Numbers to statsd, under gunicorn's names; once a second what came since.

Durations go out as one timer a second: the mean of that second, with the
sample rate that gives it its weight.
"""

from __future__ import annotations

import contextlib
import socket
from typing import Any

from wsgibench.errors import UsageError
from wsgibench.native.numerals import read_number
from wsgibench.native.sockets import resolve

#: Bytes of a datagram that pass any network.
DATAGRAM = 1400


def address_of(text: str) -> tuple[Any, Any]:
    """(family, address) of HOST:PORT or unix:///path."""
    if text.startswith("unix://"):
        return socket.AF_UNIX, text[7:]
    host, _, digits = text.rpartition(":")
    port = read_number(digits)
    if not (host and port and port < 65536):
        raise UsageError(
            "statsd_host is HOST:PORT or unix:///path, not %r." % text
        )
    try:
        found = resolve(host.strip("[]"), port, socket.SOCK_DGRAM)
    except UsageError as error:
        raise UsageError("statsd_host %s: %s" % (text, error)) from error
    return found[0], found[4]


class Statsd:
    def __init__(self, host: str, prefix: str = "", tags: str = "") -> None:
        family, address = address_of(host)
        self._address = address
        self._prefix = prefix + "." if prefix[-1:] not in ("", ".") else prefix
        self._tags = "|#" + tags if tags else ""  # DogStatsD has them
        self._socket = socket.socket(family, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._statuses: list[int] = [0] * 500
        self._durations = (0, 0)  # how many, microseconds

    def close(self) -> None:
        self._socket.close()

    def lines(self, metrics: dict[str, Any]) -> list[str]:
        """What came since the last call."""
        found = []
        statuses = metrics["statuses"]
        for number, (now, before) in enumerate(
            zip(statuses, self._statuses), 100
        ):
            if now > before:
                found.append(
                    "gunicorn.request.status.%d:%d|c|@1.0"
                    % (number, now - before)
                )
        answered = sum(statuses) - sum(self._statuses)
        if answered:
            found.append("gunicorn.requests:%d|c|@1.0" % answered)
        self._statuses = statuses
        count = sum(sum(row) for row in metrics["duration"])
        us = sum(metrics["duration_us"])
        new, spent = count - self._durations[0], us - self._durations[1]
        self._durations = count, us
        if new:
            found.append(
                "gunicorn.request.duration:%.3f|ms|@%.6g"
                % (spent / new / 1000, 1 / new)
            )
        return [self._prefix + line + self._tags for line in found]

    def send(self, metrics: dict[str, Any]) -> None:
        """A monitor that is away must not be noticed."""
        packet = ""
        for line in [*self.lines(metrics), ""]:
            if packet and (not line or len(packet) + len(line) > DATAGRAM):
                with contextlib.suppress(OSError):
                    self._socket.sendto(packet.encode(), self._address)
                packet = ""
            packet += "\n" + line if packet else line
