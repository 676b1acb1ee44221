"""``python -m wsgibench capacity``: the highest rate that keeps an SLO."""

from __future__ import annotations

import argparse
import dataclasses
import sys
from typing import TYPE_CHECKING, Any

from wsgibench.commands import _application, _numbers, _search_run

if TYPE_CHECKING:
    from wsgibench.harness import knee

HELP = "search the highest rate at which a server keeps its objectives"


#: Of the rate that was found: what is asked for less has little say in it.
NEAR = 0.5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    _search_run.add_arguments(parser, "capacity.json", "c-uv,gunicorn-gthread")
    parser.add_argument(
        "--starts",
        type=int,
        default=3,
        help="server processes, each searched by itself (default: "
        "%(default)s)",
    )


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _search(
    search_run: _search_run.SearchRun, cell: Any, start: int
) -> dict[str, Any]:
    """One start: warmed up in the closed loop, then searched."""
    from wsgibench.harness import knee
    from wsgibench.harness.loaded_target import closed

    points: list[dict[str, Any]] = []
    with search_run.target(cell, start) as target:
        warm = dataclasses.replace(
            closed(cell.load), duration=search_run.warmup(cell)
        )
        target.load(warm, start)
        flat_out = dataclasses.replace(warm, duration=1.0)
        closed_loop = search_run.load(target, flat_out, start)
        most = closed_loop["goodput"]

        def trial(rate: float) -> knee.Trial:
            load = dataclasses.replace(cell.load, rate=rate, warmup=0.0)
            result = search_run.load(target, load, start + 1)
            holds, strain = search_run.strain(result)
            tail = result["tail"]
            points.append(
                {
                    "rate": rate,
                    "holds": holds,
                    "p50_ns": tail.get("p50_ns"),
                    "p99_ns": tail.get("p99_ns"),
                    "failed": result["scheduled"] - result["classes"]["ok"],
                    "cpu_us": result["server_cpu_ns"]
                    / 1e3
                    / max(1, result["classes"]["ok"]),
                    "client_cpu_share": result["client_cpu_share"],
                    "disturbed": result["disturbed"],
                }
            )
            if not holds and strain is not None and strain <= 1:
                strain = None  # it is not the times that fail
            return knee.Trial(rate, holds, strain)

        found = knee.search(trial, most / 2)
    return {
        "start": start,
        "closed_loop": most,
        "capacity": found.rate,
        "is_bound": found.is_bound,
        "disturbed": closed_loop["disturbed"] or _disturbed(points, found),
        "trials": sorted(points, key=lambda one: float(one["rate"])),
    }


def _disturbed(points: list[dict[str, Any]], found: knee.Capacity) -> str:
    """Why the rate that was found may be too low: others took time of trials
    that it follows from. One far below that held all the same tells so much
    the more."""
    return next(
        (
            str(one["disturbed"])
            for one in points
            if one["disturbed"]
            and (not one["holds"] or one["rate"] > NEAR * found.rate)
        ),
        "",
    )


def run(arguments: argparse.Namespace) -> int:
    from wsgibench import cli
    from wsgibench.reports import capacity

    parser = cli.parser_of("capacity", add_arguments)
    argv = _application.expanded(
        arguments.argv[1:], parser, ("server", "python")
    )
    arguments = parser.parse_args(argv)
    arguments.argv = ["capacity", *argv]
    _numbers.counts(1, arguments, "starts")
    search_run = _search_run.SearchRun(arguments, _tell)
    made = search_run.record
    made.update(kind="capacity", slo=arguments.slo, starts=arguments.starts)
    entries = {cell: search_run.run.entry(cell) for cell in search_run.ready}
    made["cells"] = list(entries.values())

    def measure() -> None:
        for start in range(arguments.starts):
            for cell, entry in entries.items():
                _tell("[start %d] %s" % (start + 1, cell.name))
                with search_run.attempt(cell):
                    entry["starts"].append(_search(search_run, cell, start))

    is_whole = search_run.measured(measure)
    print(capacity.render(made), end="")
    disturbed = any(row.disturbed for row in capacity.rows(made))
    return search_run.code(is_whole, disturbed)
