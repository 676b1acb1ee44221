"""Many connections from several machines, made of network namespaces.

    sudo python benchmarks/many_machines.py [--connections 65536] [--workers 4]

A server (c-uv, as many processes as workers), a master and the workers stand
in namespaces of one bridge. Prints what the load's record says, and how many
sockets the server's own namespace had established at most.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "python"), str(ROOT)]

from tests.machines.conftest import Machine, ip, wait_for  # noqa: E402

APPLICATION = """
def app(environ, start_response):
    start_response("200 OK", [("Content-Length", "5")])
    return [b"hello"]
"""


def established(machine: Machine) -> int:
    """What the kernel of the server says."""
    said = subprocess.run(
        ["ip", "netns", "exec", machine.name, "cat", "/proc/net/sockstat"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    words = said.split("TCP: inuse ")[1].split()
    return int(words[0])


def watch(machine: Machine, over: threading.Event, found: list[int]) -> None:
    while not over.wait(0.5):
        found.append(established(machine))


def answers(master: Machine, url: str) -> bool:
    asks = "import sys; from urllib.request import urlopen as u; "
    asking = master.python("-c", asks + "u(sys.argv[1], None, 5)", url)
    asking.communicate(timeout=30)
    return asking.returncode == 0


def measure(
    asked: argparse.Namespace, machines: list[Machine], folder: Path
) -> dict[str, Any]:
    master, server, *workers = machines
    (folder / "hello.py").write_text(APPLICATION)
    url = "http://%s:8000/" % server.address
    server.wsgibench(
        *("serve", "hello:app", "--chdir", str(folder)),
        *("--bind", server.address + ":8000", "--reuse-port"),
        *("--workers", str(asked.workers), "--backlog", "4096"),
        *("--head-timeout", "0", "--idle-timeout", "0"),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    for worker in workers:
        worker.wsgibench(
            *("worker", "--master", master.address),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    wait_for(lambda: answers(master, url), "the server does not answer")
    over, sockets = threading.Event(), [0]
    watcher = threading.Thread(target=watch, args=(server, over, sockets))
    watcher.start()
    try:
        load = master.wsgibench(
            *("load", url, "-c", str(asked.connections)),
            *("-d", str(asked.seconds), "--rate", str(asked.rate)),
            *("--connect-rate", str(asked.connect_rate)),
            *("--timeout", "60", "--drain", "30"),
            *("--workers", str(asked.workers)),
            *("--json", str(folder / "load.json")),
        )
        print(load.communicate(timeout=asked.seconds + 180)[0])
    finally:
        over.set()
        watcher.join()
    result: dict[str, Any] = json.loads((folder / "load.json").read_text())
    result["server_sockets"] = max(sockets)
    return result


def report(result: dict[str, Any]) -> None:
    found = result["connections"]
    print("open at once     %(open_at_once)d" % found)
    print("open at the end  %(open_at_end)d" % found)
    print("at the server    %d" % result["server_sockets"])
    print("ever answered    %(ever_answered)d" % found)
    print("classes          %s" % result["classes"])
    for worker in result["workers"]:
        print("%s %s" % (worker["name"], worker["classes"]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--connections", type=int, default=65_536)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=75.0)
    parser.add_argument("--rate", type=float, default=2500.0)
    parser.add_argument("--connect-rate", type=float, default=3000.0)
    asked = parser.parse_args()
    prefix = "wm%x-" % (os.getpid() % 0xFFFF)
    machines = [Machine(prefix, n) for n in range(2 + asked.workers)]
    switch = prefix + "sw"
    with tempfile.TemporaryDirectory() as folder:
        try:
            ip("netns", "add", switch)
            ip("-n", switch, "link", "add", "br0", "type", "bridge")
            ip("-n", switch, "link", "set", "br0", "up")
            for machine in machines:
                machine.make(switch)
            report(measure(asked, machines, Path(folder)))
        finally:
            for machine in machines:
                machine.end()
                ip("netns", "del", machine.name)
            ip("netns", "del", switch)


if __name__ == "__main__":
    main()
