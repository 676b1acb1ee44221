"""Who used the machine while a start was loaded: the server, its client, and
everybody else on their two CPUs.

Beside the usage of both process trees it samples what the kernel says of the
CPUs themselves. What is busy there and not ours, other processes used. How
fast the server's CPUs are is looked at before and after it.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from wsgibench.harness import usage, yardstick
from wsgibench.harness.usage import Usage
from wsgibench.harness.yardstick import Reading

TICK_NS = usage.TICK_NS
PERIOD = 0.1


@dataclass(frozen=True)
class Machine:
    """Since the machine's start; of the CPUs that were used only."""

    time_ns: int
    busy_ns: int  # of these CPUs, without interrupts and stolen time
    steal_ns: int  # the hypervisor gave them to others
    other_ns: int  # of ours beside server and client: harness, services
    pressure_us: int  # PSI: some thread on the machine waited for a CPU
    throttled_us: int  # the limit of our control group stopped us


def _text(path: str) -> str:
    try:
        return Path(path).read_text()
    except OSError:
        return ""


def busy(text: str, cpus: Sequence[int]) -> tuple[int, int]:
    """(busy, stolen) nanoseconds of these CPUs, from /proc/stat."""
    used = stolen = 0
    wanted = {"cpu%d" % cpu for cpu in cpus}
    for line in text.splitlines():
        name, *rest = line.split()
        if name in wanted:
            ticks = [int(word) for word in rest[:8]]
            used += sum(ticks[:3])  # user, nice, system
            stolen += ticks[7] if len(ticks) > 7 else 0
    return used * TICK_NS, stolen * TICK_NS


def pressure(text: str) -> int:
    """Microseconds of the line `some ... total=N` of /proc/pressure/cpu."""
    first = text.split("\n", 1)[0]
    total = first.rpartition("total=")[2]
    return int(total) if total.isdigit() else 0


def _throttled() -> int:
    for line in _text("/sys/fs/cgroup/cpu.stat").splitlines():
        name, _, value = line.partition(" ")
        if name == "throttled_usec" and value.isdigit():
            return int(value)
    return 0


class Watch(threading.Thread):
    """Samples until `stop`; `client` is set once there is one."""

    def __init__(
        self,
        server: int,
        cpus: Sequence[int],
        client_cpu: int | None,
        period: float = PERIOD,
    ) -> None:
        super().__init__(daemon=True)
        self._server = server
        self._cpus = cpus
        self._client_cpu = client_cpu
        self._period = period
        self._over = threading.Event()
        self.client: int | None = None
        self.server_usage: list[Usage] = []
        self.client_usage: list[Usage] = []
        self.machine_usage: list[Machine] = []
        self.speeds: list[Reading] = []

    def lost_ns(self) -> int:
        """CPU of the server's processes that ended and that nobody waited
        for: it is in no sample behind. Two ticks in a sample are rounding: a
        parent's sum is told in ticks."""
        used = [one.cpu_ns for one in self.server_usage]
        falls = [a - b for a, b in zip(used, used[1:])]
        return sum(fall for fall in falls if fall > 2 * TICK_NS)

    def to_json(self) -> dict[str, list[dict[str, Any]]]:
        """Of a start in a record."""
        return {
            "usage": list(map(asdict, self.server_usage)),
            "client_usage": list(map(asdict, self.client_usage)),
            "machine_usage": list(map(asdict, self.machine_usage)),
            "yardstick": [one.to_json() for one in self.speeds],
        }

    def _others_of_ours(self) -> int:
        known = set(usage.tree(self._server))
        if self.client is not None:
            known |= set(usage.tree(self.client))
        ours = set(usage.tree(os.getpid())) - known
        return sum(map(usage.cpu_ns, ours))

    def _machine(self) -> Machine:
        now = time.monotonic_ns()
        used, stolen = busy(_text("/proc/stat"), self._cpus)
        return Machine(
            now,
            used,
            stolen,
            self._others_of_ours(),
            pressure(_text("/proc/pressure/cpu")),
            _throttled(),
        )

    def _sample(self) -> None:
        self.server_usage.append(usage.read(self._server))
        if self.client is not None:
            self.client_usage.append(usage.read(self.client))
        self.machine_usage.append(self._machine())

    def _look(self) -> None:
        for cpu in self._cpus:
            if cpu != self._client_cpu:
                self.speeds.append(yardstick.of(cpu).read())

    def start(self) -> None:
        self._look()
        super().start()

    def run(self) -> None:
        if self._client_cpu is not None:
            # Watching must not take from the server: on Linux this is of
            # the thread alone.
            os.sched_setaffinity(0, {self._client_cpu})
        while not self._over.is_set():
            self._sample()
            self._over.wait(self._period)

    def stop(self) -> None:
        self._over.set()
        self.join()
        self._sample()
        self._look()
