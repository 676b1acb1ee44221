"""``python -m wsgibench size``: how many workers and threads for a rate."""

from __future__ import annotations

import argparse
import dataclasses
import math
import os
import sys
from typing import Any

from wsgibench.commands import _application, _field, _numbers
from wsgibench.errors import UsageError, WsgibenchError

HELP = "find the fewest workers and threads that keep objectives at a rate"
SERVERS = "c-uv,gunicorn-gthread,granian,waitress"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    _field.add_arguments(parser, "size.json", SERVERS)
    parser.add_argument(
        "--rate",
        type=float,
        required=True,
        help="requests/s that are to be borne (required)",
    )
    parser.add_argument(
        "--most-workers",
        type=int,
        default=max(1, (os.cpu_count() or 1)),
        help="no more processes (default: %(default)s, the CPUs)",
    )
    parser.add_argument(
        "--most-memory",
        type=float,
        default=0.0,
        metavar="GIB",
        help="no more memory (default: three quarters of the machine's)",
    )
    _application.add_prices(parser)


#: A time so near its limit, either way, is measured twice.
CLOSE = 1.25


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _memory() -> float:
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return 0.75 * pages


def _need(field: _field.Field, cell: Any, rate: float) -> tuple[Any, str]:
    """What a request takes, from one connection to one process, and why
    that cannot be believed, or ""."""
    from wsgibench.harness.sizing import Need
    from wsgibench.harness.stage import closed

    load = dataclasses.replace(closed(cell.load), connections=1)
    warm = dataclasses.replace(load, duration=field.warmup(cell))
    with field.stage(cell, 0) as stage:
        stage.load(warm, 0)
        result = field.load(stage, dataclasses.replace(load, duration=1.0), 1)
    done = max(1, result["classes"]["ok"])
    if not result["classes"]["ok"]:
        raise WsgibenchError("it answered nothing to one connection.")
    cpu = result["server_cpu_ns"] / 1e9 / done
    whole = result["service"]["mean_ns"] / 1e9
    need = Need(rate, cpu, max(0.0, whole - cpu))
    return need, str(result["disturbed"])


class Search:
    """Of one server on one interpreter."""

    def __init__(
        self, field: _field.Field, cell: Any, arguments: argparse.Namespace
    ) -> None:
        self._field = field
        self._cell = cell
        self._rate = arguments.rate
        self._most = (arguments.most_memory * 2**30) or _memory()
        self.tried: list[dict[str, Any]] = []

    def holds(self, size: Any) -> bool:
        from wsgibench.harness import sizing

        text = sizing.server_text(self._cell.server, size)
        load = dataclasses.replace(
            self._cell.load, rate=self._rate, warmup=0.0
        )
        stage = self._field.stage(
            self._cell, 1, server=text, workers=size.workers
        )
        with stage:
            warm = self._field.warmup(self._cell)
            stage.load(dataclasses.replace(load, duration=warm), 1)
            result = self._field.load(stage, load, 2)
            disturbed = result["disturbed"]
            kept, strain = self._field.strain(result)
            if strain is not None and 1 / CLOSE < strain < CLOSE:
                # By chance, perhaps: once more, and the two together.
                second = self._field.load(stage, load, 3)
                disturbed = disturbed or second["disturbed"]
                kept, again = self._field.strain(second)
                strain = math.sqrt(strain * (again or strain))
                kept = strain <= 1
        fits = result["rss"] <= self._most
        seconds = result["duration_s"]
        tail = result["tail"]
        self.tried.append(
            {
                "workers": size.workers,
                "threads": size.threads,
                "holds": kept and fits,
                "strain": strain,
                "p99_ns": tail.get("p99_ns"),
                "failed": result["scheduled"] - result["classes"]["ok"],
                "cpu_share": result["server_cpu_ns"] / 1e9 / seconds,
                "wait_share": result["server_wait_ns"] / 1e9 / seconds,
                "rss": result["rss"],
                "shared": stage.is_shared,
                "disturbed": disturbed,
            }
        )
        _tell(
            "  %s: %s" % (size, "holds" if kept and fits else "does not hold")
        )
        return kept and fits


def _slackest(field: _field.Field) -> float:
    """Seconds, of the objectives of time."""
    return max(gate.limit for gate in field.gates if gate.is_time) / 1e9


def _one(
    field: _field.Field, cell: Any, arguments: argparse.Namespace
) -> dict[str, Any]:
    from wsgibench.harness import sizing

    need, disturbed = _need(field, cell, arguments.rate)
    search = Search(field, cell, arguments)
    workers, threads = sizing.KNOBS[cell.server]
    found = None
    most = arguments.most_workers if workers else 1
    alone, limit = need.cpu + need.wait, _slackest(field)
    if alone > limit:
        _tell(
            "a request takes %.3g ms when it is alone: no number of workers "
            "answers within %.3g ms" % (1e3 * alone, 1e3 * limit)
        )
    elif need.workers <= most:
        found = sizing.least(
            search.holds,
            need,
            most_workers=most,
            threads_of=() if threads else (1,),
        )
    app = field.contest.scenario.app if field.contest else "app:application"
    return {
        "cpu_us": 1e6 * need.cpu,
        "wait_us": 1e6 * need.wait,
        "least_workers": need.workers,
        "under_way": need.under_way,
        "tried": search.tried,
        # What held although others took time does not need more.
        "disturbed": next(
            (
                str(one["disturbed"])
                for one in search.tried
                if one["disturbed"] and not one["holds"]
            ),
            disturbed,
        ),
        "found": None
        if found is None
        else {
            "workers": found.workers,
            "threads": found.threads,
            "server": sizing.server_text(cell.server, found),
            "command": sizing.command_line(cell.server, found, app),
        },
    }


def run(arguments: argparse.Namespace) -> int:
    from wsgibench.harness import sizing
    from wsgibench.reports import size

    parser = argparse.ArgumentParser()
    add_arguments(parser)
    argv = _application.expanded(arguments.argv[1:], parser, ("python",))
    arguments = parser.parse_args(argv)
    arguments.argv = ["size", *argv]
    _numbers.positive(arguments, "rate")
    _numbers.at_least(1, arguments, "most_workers")
    _numbers.at_least(0, arguments, "most_memory")
    for name in arguments.server.split(","):
        if name not in sizing.KNOBS:
            raise UsageError(
                "%s has no workers and threads that this knows to set; these "
                "have: %s." % (name, ", ".join(sizing.KNOBS))
            )
    field = _field.Field(arguments, _tell)
    made = field.record
    made.update(
        kind="size",
        slo=arguments.slo,
        rate=arguments.rate,
        prices=_application.prices(arguments),
    )
    made["cells"] = []

    def measure() -> None:
        for cell in field.ready:
            _tell(cell.name)
            entry = field.race.entry(cell)
            with field.attempt(cell):
                entry["size"] = _one(field, cell, arguments)
                made["cells"].append(entry)

    is_whole = field.measured(measure)
    print(size.render(made), end="")
    disturbed = any(cell["size"]["disturbed"] for cell in made["cells"])
    return field.code(is_whole, not disturbed)
