"""``python -m wsgibench size``: how many workers and threads for a rate."""

from __future__ import annotations

import argparse
import dataclasses
import math
import os
import sys
from typing import Any

from wsgibench.commands import _application, _numbers, _search_run
from wsgibench.errors import UsageError, WsgibenchError

HELP = "find the fewest workers and threads that keep objectives at a rate"
SERVERS = "c-uv,gunicorn-gthread,granian,waitress"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    _search_run.add_arguments(parser, "size.json", SERVERS)
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


def _need(
    search_run: _search_run.SearchRun, cell: Any, rate: float
) -> tuple[Any, str]:
    """What a request takes, from one connection to one process, and why
    that cannot be believed, or ""."""
    from wsgibench.harness.loaded_target import closed
    from wsgibench.harness.sizing import Need

    load = dataclasses.replace(closed(cell.load), connections=1)
    warm = dataclasses.replace(load, duration=search_run.warmup(cell))
    with search_run.target(cell, 0) as target:
        target.load(warm, 0)
        result = search_run.load(
            target, dataclasses.replace(load, duration=1.0), 1
        )
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
        self,
        search_run: _search_run.SearchRun,
        cell: Any,
        arguments: argparse.Namespace,
    ) -> None:
        self._run = search_run
        self._cell = cell
        self._rate = arguments.rate
        self._most = (
            _memory()
            if arguments.most_memory is None
            else arguments.most_memory * 2**30
        )
        self.tried: list[dict[str, Any]] = []

    def holds(self, size: Any) -> bool:
        from wsgibench.harness import sizing

        text = sizing.server_text(self._cell.server, size)
        load = dataclasses.replace(
            self._cell.load, rate=self._rate, warmup=0.0
        )
        target = self._run.target(
            self._cell, 1, server=text, workers=size.workers
        )
        with target:
            warm = self._run.warmup(self._cell)
            target.load(dataclasses.replace(load, duration=warm), 1)
            result = self._run.load(target, load, 2)
            disturbed = result["disturbed"]
            kept, strain = self._run.strain(result)
            if strain is not None and 1 / CLOSE < strain < CLOSE:
                # By chance, perhaps: once more, and the two together.
                second = self._run.load(target, load, 3)
                disturbed = disturbed or second["disturbed"]
                kept, again = self._run.strain(second)
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
                "shared": target.is_shared,
                "disturbed": disturbed,
            }
        )
        _tell(
            "  %s: %s" % (size, "holds" if kept and fits else "does not hold")
        )
        return kept and fits


def _slackest(search_run: _search_run.SearchRun) -> float:
    """Seconds, of the objectives of time."""
    return max(gate.limit for gate in search_run.gates if gate.is_time) / 1e9


def _one(
    search_run: _search_run.SearchRun, cell: Any, arguments: argparse.Namespace
) -> dict[str, Any]:
    from wsgibench.harness import sizing

    need, disturbed = _need(search_run, cell, arguments.rate)
    search = Search(search_run, cell, arguments)
    workers, threads = sizing.KNOBS[cell.server]
    found = None
    most = arguments.most_workers if workers else 1
    alone, limit = need.cpu + need.wait, _slackest(search_run)
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
    app = (
        search_run.application_run.scenario.app
        if search_run.application_run
        else "app:application"
    )
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
    from wsgibench import cli
    from wsgibench.harness import selection, sizing
    from wsgibench.reports import size

    parser = cli.parser_of("size", add_arguments)
    argv = _application.expanded(arguments.argv[1:], parser, ("python",))
    arguments = parser.parse_args(argv)
    arguments.argv = ["size", *argv]
    _numbers.positive(arguments, "rate")
    _numbers.counts(1, arguments, "most_workers")
    _numbers.positive(arguments, "most_memory")
    for name in selection.split(arguments.server, "server"):
        if name not in sizing.KNOBS:
            raise UsageError(
                "%s has no workers and threads that this knows to set; these "
                "have: %s." % (name, ", ".join(sizing.KNOBS))
            )
    search_run = _search_run.SearchRun(arguments, _tell)
    made = search_run.record
    made.update(
        kind="size",
        slo=arguments.slo,
        rate=arguments.rate,
        prices=_application.prices(arguments),
    )
    made["cells"] = []

    def measure() -> None:
        for cell in search_run.ready:
            _tell(cell.name)
            entry = search_run.run.entry(cell)
            with search_run.attempt(cell):
                entry["size"] = _one(search_run, cell, arguments)
                made["cells"].append(entry)

    is_whole = search_run.measured(measure)
    print(size.render(made), end="")
    disturbed = any(cell["size"]["disturbed"] for cell in made["cells"])
    return search_run.code(is_whole, disturbed)
