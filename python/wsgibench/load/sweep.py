"""The same load with 1, 2, 4 ... 65,536 connections.

A point that this machine cannot reach is recorded as skipped, with the
arithmetic: never silently smaller.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from wsgibench.errors import UsageError
from wsgibench.load import limits
from wsgibench.load.spec import LoadSpec
from wsgibench.verdicts import INVALID, NUMBERS, doubt, summary

#: More would only take turns on the CPUs.
MOST_PROCESSES = 64


def points(text: str) -> list[int]:
    """``1..65536`` doubles; ``1,10,100`` is itself."""
    try:
        if ".." not in text:
            counts = [int(part) for part in text.split(",")]
        else:
            first, last = map(int, text.split(".."))
            counts = []
            while 0 < first <= last:
                counts.append(first)
                first *= 2
    except ValueError:
        counts = []
    if not counts or min(counts) < 1:
        raise UsageError("%r is not a sweep like 1..65536 or 1,10,100." % text)
    return counts


def fitted(spec: LoadSpec, connections: int) -> LoadSpec:
    """With as many processes as the descriptors of that many need, and
    source addresses as their ports need, unless the user said how many."""
    has = limits.read()
    processes = spec.processes
    sources = spec.sources
    source = spec.source
    usable = max(1, has.descriptors - limits.OWN_DESCRIPTORS)
    processes = max(processes, -(-connections // usable))
    processes = min(processes, connections, MOST_PROCESSES)
    needed = limits.sources_for(connections, has.ports)
    if needed > sources and spec.target().addresses.startswith("127."):
        sources = needed
        source = source or "127.0.0.1"
    # Connecting is not what is measured: its time comes on top.
    connecting = connections / spec.connect_rate if spec.connect_rate else 0.0
    return replace(
        spec,
        duration=spec.duration + connecting,
        connections=connections,
        processes=processes,
        sources=sources,
        source=source,
    )


def arithmetic(spec: LoadSpec) -> dict[str, Any]:
    has = limits.read()
    return {
        "connections": spec.connections,
        "processes": spec.processes,
        "connections_per_process": -(-spec.connections // spec.processes),
        "descriptors_per_process": has.descriptors,
        "source_addresses": spec.sources,
        "ports_per_source": has.ports,
        "ports": spec.sources * has.ports,
    }


def sweep(
    spec: LoadSpec,
    counts: list[int],
    run: Callable[[LoadSpec], dict[str, Any]],
) -> Iterator[dict[str, Any]]:
    """A point each: ``arithmetic`` and ``load``, or why it is ``skipped``."""
    has = limits.read()
    for count in counts:
        fit = fitted(spec, count)
        point: dict[str, Any] = {"arithmetic": arithmetic(fit)}
        reasons = limits.too_much(limits.Asked.of(fit), has)
        if reasons:
            point["skipped"] = "; ".join(reasons)
        else:
            point["load"] = run(fit)
            _name_shortfall(point["load"], count)
        yield point
        if point.get("load", {}).get("interrupted"):
            return


def _name_shortfall(load: dict[str, Any], count: int) -> None:
    """Established is what counts: a server may hold fewer than asked."""
    most = load["connections"]["open_at_once"]
    if load["asked"]["keepalive"] and most < count:
        words = "%d of %d connections were open at once" % (most, count)
        remedy = "the server holds no more, or not yet: a longer --duration"
        load["doubts"].append(
            doubt("fewer-connections", INVALID, NUMBERS, words, remedy)
        )
        load["verdict"], load["reasons"] = summary(load["doubts"])
