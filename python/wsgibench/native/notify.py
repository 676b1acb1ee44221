"""Telling systemd how we are: sd_notify(3) by its protocol, a datagram."""

from __future__ import annotations

import contextlib
import os
import socket
import time

from wsgibench.native.numerals import read_number


class Notifier:
    """Does nothing where nobody asked (NOTIFY_SOCKET is not set)."""

    def __init__(self) -> None:
        # Programs that the application starts are not the service.
        self._address = os.environ.pop("NOTIFY_SOCKET", "")
        period = read_number(os.environ.pop("WATCHDOG_USEC", ""))
        pid = os.environ.pop("WATCHDOG_PID", "")
        #: Seconds between two signs of life; 0: nobody waits for them.
        self.period = 0.0
        is_for_us = not pid or pid == str(os.getpid())
        if self._address and period is not None and is_for_us:
            self.period = period / 2e6
        self._next = 0.0

    def send(self, *lines: str) -> None:
        if not self._address:
            return
        address = self._address
        if address.startswith("@"):
            address = "\0" + address[1:]
        with contextlib.suppress(OSError):
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
                sock.setblocking(False)
                sock.sendto("\n".join(lines).encode(), address)

    def ready(self, status: str) -> None:
        self.send("READY=1", "STATUS=" + status, "MAINPID=%d" % os.getpid())

    def reloading(self) -> None:
        now = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        self.send("RELOADING=1", "MONOTONIC_USEC=%d" % now)

    def stopping(self) -> None:
        self.send("STOPPING=1", "STATUS=finishing what is under way")

    def alive(self) -> None:
        """To be called often; sends when it is time."""
        if self.period and time.monotonic() >= self._next:
            self._next = time.monotonic() + self.period
            self.send("WATCHDOG=1")
