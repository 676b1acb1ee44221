"""What on this machine will disturb a measurement, and how to mend it.

Each check is a function of the file system's root, so that tests can give
it a machine of their own. It returns findings; none is good.
"""

from __future__ import annotations

import os
import re
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from wsgibench.harness import machine, watch, yardstick
from wsgibench.native import NotBuiltError
from wsgibench.verdicts import SLOWER

#: A warning spoils numbers; a note limits what can be asked or known.
NOTE, WARNING = "note", "warning"


@dataclass(frozen=True)
class Finding:
    level: str
    what: str
    mend: str


Check = Callable[[Path], Iterator[Finding]]


def _text(path: Path) -> str:
    try:
        return path.read_text().strip()
    except (OSError, UnicodeDecodeError):
        return ""


def _number(path: Path) -> int | None:
    text = _text(path)
    return int(text) if text.lstrip("-").isdigit() else None


#: Seconds in which others are watched; ticks of 10 ms are known to 4 %.
WATCH = 0.5
BUSY = 0.1  # of a CPU


def others(before: str, after: str, cpus: Sequence[int]) -> float:
    """CPUs that were in use between two readings of /proc/stat."""
    ticks = [watch.busy(text, cpus)[0] for text in (before, after)]
    return (ticks[1] - ticks[0]) / 1e9 / WATCH


def load(root: Path) -> Iterator[Finding]:
    """Looked at now: the load average of the last minute may be our own."""
    path = root / "proc/stat"
    cpus = sorted(os.sched_getaffinity(0))
    before = _text(path)
    time.sleep(WATCH)
    found = others(before, _text(path), cpus)
    if found > BUSY:
        yield Finding(
            WARNING,
            "others use %.1f of %d CPUs now" % (found, len(cpus)),
            "stop them; rows of starts that they disturb are INVALID",
        )


def processors(root: Path) -> Iterator[Finding]:
    if hasattr(os, "sched_getaffinity"):
        count = len(os.sched_getaffinity(0))
    else:
        count = os.cpu_count() or 1
    if count < 2:
        yield Finding(
            WARNING,
            "one CPU for server and client: they take it from each other",
            "use a machine with two, or read only the CPU per request",
        )


def governor(root: Path) -> Iterator[Finding]:
    folder = root / "sys/devices/system/cpu"
    found = {
        _text(path)
        for path in folder.glob("cpu[0-9]*/cpufreq/scaling_governor")
    }
    slow = sorted(found - {"performance", ""})
    if slow:
        yield Finding(
            WARNING,
            "the CPU's clock follows its load (governor %s)" % ", ".join(slow),
            "cpupower frequency-set -g performance",
        )


def turbo(root: Path) -> Iterator[Finding]:
    folder = root / "sys/devices/system/cpu"
    on = _number(folder / "cpufreq/boost") == 1
    on = on or _number(folder / "intel_pstate/no_turbo") == 0
    if on:
        yield Finding(
            NOTE,
            "the CPU is faster while it is cool (turbo is on)",
            "echo 0 > /sys/devices/system/cpu/cpufreq/boost, or "
            "echo 1 > /sys/devices/system/cpu/intel_pstate/no_turbo",
        )


def siblings(root: Path) -> Iterator[Finding]:
    """Server and client on two threads of one core share its units."""
    if _text(root / "sys/devices/system/cpu/smt/active") == "1":
        yield Finding(
            NOTE,
            "two threads of a core may become server and client (SMT is on)",
            "echo off > /sys/devices/system/cpu/smt/control, or choose CPUs "
            "of two cores with taskset",
        )


def stolen(root: Path) -> Iterator[Finding]:
    first = _text(root / "proc/stat").split("\n")[0].split()
    if len(first) > 8 and int(first[8]):
        share = int(first[8]) / max(1, sum(map(int, first[1:9])))
        if share > 0.001:
            yield Finding(
                WARNING,
                "a hypervisor gave %.1f %% of the CPUs to others since the "
                "start" % (100 * share),
                "use a machine of your own; rows of such starts are INVALID",
            )


def speed(root: Path) -> Iterator[Finding]:
    """Looked at now, for less than a second."""
    server, _ = machine.split_cpus()
    try:
        looks = yardstick.of(server).looks()
    except NotBuiltError:
        return
    slower = max(looks) / min(looks) - 1
    if slower > SLOWER:
        yield Finding(
            WARNING,
            "the server's CPU is up to %.0f %% slower from one moment to the "
            "next (its clock, or another guest on its core)" % (100 * slower),
            "use a machine of your own, or run --counted; starts on a CPU "
            "that is slower than usual are measured again",
        )


def swap(root: Path) -> Iterator[Finding]:
    found = dict(
        re.findall(r"^(\w+):\s+(\d+)", _text(root / "proc/meminfo"), re.M)
    )
    used = int(found.get("SwapTotal", 0)) - int(found.get("SwapFree", 0))
    if used > 64 << 10:
        yield Finding(
            WARNING,
            "%d MiB are in swap" % (used >> 10),
            "free memory, then: swapoff -a",
        )


def descriptors(root: Path) -> Iterator[Finding]:
    from wsgibench.harness import limits

    room = limits.descriptors()
    if room < 65_600:
        yield Finding(
            NOTE,
            "a process may hold %d descriptors: points with more connections "
            "are skipped or split" % room,
            "raise nofile in /etc/security/limits.conf",
        )


def ports(root: Path) -> Iterator[Finding]:
    words = _text(root / "proc/sys/net/ipv4/ip_local_port_range").split()
    if len(words) == 2 and int(words[1]) - int(words[0]) < 28_000:
        yield Finding(
            WARNING,
            "only %d local ports: loads without keep-alive will run out"
            % (int(words[1]) - int(words[0]) + 1),
            "sysctl -w net.ipv4.ip_local_port_range='1024 65535'",
        )


def backlog(root: Path) -> Iterator[Finding]:
    most = _number(root / "proc/sys/net/core/somaxconn")
    if most is not None and most < 2048:
        yield Finding(
            WARNING,
            "a listener's queue holds %d connections, not 2048" % most,
            "sysctl -w net.core.somaxconn=4096",
        )


def battery(root: Path) -> Iterator[Finding]:
    for supply in (root / "sys/class/power_supply").glob("*/status"):
        if _text(supply) == "Discharging":
            yield Finding(
                WARNING, "it runs on its battery", "plug the machine in"
            )


def tools(root: Path) -> Iterator[Finding]:
    for name, what in (("valgrind", "instructions"), ("strace", "calls")):
        if shutil.which(name) is None:
            yield Finding(
                NOTE,
                "run --counted counts no %s without %s" % (what, name),
                "install the package " + name,
            )


CHECKS: tuple[Check, ...] = (
    *(load, processors, governor, turbo, siblings, stolen, speed, swap),
    *(descriptors, ports, backlog, battery, tools),
)


def find(root: Path = Path("/")) -> list[Finding]:
    found = [finding for check in CHECKS for finding in check(root)]
    return sorted(found, key=lambda one: one.level != WARNING)


def lines(found: Sequence[Finding]) -> list[str]:
    """For the terminal: what, and below it how to mend it."""
    return ["%s: %s\n    %s" % (o.level, o.what, o.mend) for o in found]
