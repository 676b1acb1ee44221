"""What one machine can hold: the arithmetic of descriptors and ports."""

from __future__ import annotations

import os
import resource
from dataclasses import dataclass
from pathlib import Path

from wsgibench.errors import UsageError
from wsgibench.load.spec import LoadSpec

#: Linux looks for a free port from one to the next, those of one parity
#: first: connect() costs microseconds when a quarter is taken, milliseconds as
#: soon as it is half of them.
PORT_SHARE = 4

#: Descriptors a process needs for itself: the interpreter, epoll, libuv.
OWN_DESCRIPTORS = 64


@dataclass(frozen=True)
class Limits:
    descriptors: int  # of a process: the hard limit of RLIMIT_NOFILE
    first_port: int
    last_port: int

    @property
    def ports(self) -> int:
        """For one source address to one destination."""
        return self.last_port - self.first_port + 1


@dataclass(frozen=True)
class Asked:
    """What of a load meets a limit."""

    connections: int
    processes: int
    sources: int
    has_ports: bool

    @classmethod
    def of(cls, spec: LoadSpec) -> Asked:
        return cls(
            spec.connections,
            spec.processes,
            spec.sources,
            not spec.url.startswith("unix:"),
        )


def read() -> Limits:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard == resource.RLIM_INFINITY:
        hard = 1 << 30
    try:
        text = Path("/proc/sys/net/ipv4/ip_local_port_range").read_text()
        first, last = map(int, text.split())
    except (OSError, ValueError):
        first, last = 49152, 65535  # RFC 6335 6, where Linux does not say
    return Limits(hard, first, last)


def sources_for(connections: int, ports: int) -> int:
    return -(-connections * PORT_SHARE // ports)


def raise_descriptors() -> None:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def pin(cpu: int) -> None:
    try:
        os.sched_setaffinity(0, {cpu})
    except (OSError, ValueError, OverflowError) as error:
        raise UsageError("there is no CPU %d to run on." % cpu) from error


def too_much(asked: Asked, limits: Limits) -> list[str]:
    """A sentence with the arithmetic for each limit that is exceeded."""
    reasons = []
    each = -(-asked.connections // asked.processes)
    usable = limits.descriptors - OWN_DESCRIPTORS
    if each > usable:
        reasons.append(
            "%d connections in %d process%s are %d descriptors in each, and "
            "the hard limit of %d less %d for itself leaves %d: use "
            "--processes %d"
            % (
                asked.connections,
                asked.processes,
                "" if asked.processes == 1 else "es",
                each,
                limits.descriptors,
                OWN_DESCRIPTORS,
                usable,
                -(-asked.connections // max(1, usable)),
            )
        )
    if asked.has_ports and asked.connections > asked.sources * limits.ports:
        reasons.append(
            "%d connections from %d source address%s have %d x %d = %d ports "
            "(%d-%d): use --source 127.0.0.1 --sources %d"
            % (
                asked.connections,
                asked.sources,
                "" if asked.sources == 1 else "es",
                asked.sources,
                limits.ports,
                asked.sources * limits.ports,
                limits.first_port,
                limits.last_port,
                -(-asked.connections // limits.ports),
            )
        )
    return reasons
