"""A web server behind a link with delay.

A network namespace with netem on both ends of its link, where that is
allowed and the kernel has it; else a proxy that holds everything back. The
settings, and so the record, say which.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from wsgibench.errors import WsgibenchError
from wsgibench.services import _nginx
from wsgibench.services._process import ProcessService, free_port, program

HELP = "a web server behind a link with 50 ms of round trip (nginx)"
PACKAGES = (*_nginx.PACKAGES, "iproute2")
SERVICES = ("near-origin",)
missing = _nginx.missing_nginx

DELAY = 0.025  # seconds, one way


class Link:
    """A network namespace at the other end of a slow link."""

    def __init__(self) -> None:
        self.name = "wsgibench-%d" % os.getpid()
        self._device = "wsb%d" % (os.getpid() % 10**9)
        # 198.18.0.0/15 is for benchmarks (RFC 2544), a /30 for each of us.
        block = os.getpid() % 16384
        third, fourth = divmod(4 * block, 256)
        self._near = "198.18.%d.%d" % (third, fourth + 1)
        self.address = "198.18.%d.%d" % (third, fourth + 2)

    def open(self) -> None:
        """Raises WsgibenchError when it is not allowed or not there."""
        far = self._device + "f"
        delay = ["root", "netem", "delay", "%dms" % (DELAY * 1000)]
        try:
            self._do("ip", "netns", "add", self.name)
            pair = ["type", "veth", "peer", "name", far, "netns", self.name]
            self._do("ip", "link", "add", self._device, *pair)
            self._do(
                "ip", "addr", "add", self._near + "/30", "dev", self._device
            )
            self._do("ip", "link", "set", self._device, "up")
            self._far("ip", "addr", "add", self.address + "/30", "dev", far)
            self._far("ip", "link", "set", far, "up")
            self._far("ip", "link", "set", "lo", "up")
            self._do("tc", "qdisc", "add", "dev", self._device, *delay)
            self._far("tc", "qdisc", "add", "dev", far, *delay)
        except WsgibenchError:
            self.close()
            raise

    def _far(self, *command: str) -> None:
        self._do("ip", "netns", "exec", self.name, *command)

    def _do(self, name: str, *arguments: str) -> None:
        path = program(name)
        if not path:
            raise WsgibenchError("%s is not here" % name)
        done = subprocess.run(
            [path, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        if done.returncode != 0:
            words = done.stdout.decode(errors="replace").strip()
            raise WsgibenchError(
                "%s %s: %s" % (name, arguments[0], words.split("\n")[0])
            )

    def close(self) -> None:
        for command in (
            ("link", "del", self._device),
            ("netns", "del", self.name),
        ):
            try:
                self._do("ip", *command)
            except WsgibenchError:
                continue  # it was not made


class OverLink:
    """nginx in the namespace, and the namespace with it."""

    def __init__(self, folder: Path, link: Link) -> None:
        self._link = link
        inside = [program("ip"), "netns", "exec", link.name]
        try:
            self._nginx = _nginx.start(
                "far-origin", folder, link.address, 8080, inside=inside
            )
        except BaseException:
            link.close()
            raise
        self.settings = dict(
            self._nginx.settings, link="network namespace and netem"
        )
        self.problem = self._nginx.problem

    def stop(self) -> None:
        self._nginx.stop()
        self._link.close()


def start(folder: Path, needed: dict[str, Any]) -> Any:
    link = Link()
    try:
        link.open()
    except WsgibenchError as error:
        return _proxy(folder, needed["near-origin"], str(error))
    return OverLink(folder, link)


def _proxy(folder: Path, near: dict[str, Any], why: str) -> ProcessService:
    port = free_port()
    origin_port = near["page"].split(":")[2].split("/")[0]
    base = "http://127.0.0.1:%d" % port
    settings = {
        "page": base + "/page.html",
        "feed": base + "/feed.xml",
        "link": "a proxy that delays, for there is no netem (%s)" % why,
    }
    proxy = Path(__file__).with_name("_delay.py")
    command = [sys.executable, str(proxy), str(port), origin_port]
    return ProcessService(
        "far-origin",
        [*command, str(DELAY)],
        folder,
        settings,
        lambda: _nginx.check(settings["page"]),
    )
