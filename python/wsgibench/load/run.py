"""A run: the generator in this process or in several, and what follows from
its numbers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from wsgibench.errors import WsgibenchError
from wsgibench.load import doubts, generator, kernel, limits, merge, processes
from wsgibench.load.generator import OnLive
from wsgibench.load.render import render
from wsgibench.load.spec import SCHEMA, LoadSpec
from wsgibench.load.steer import Steered
from wsgibench.load.tail import described, with_censored
from wsgibench.verdicts import summary


def run(
    spec: LoadSpec,
    on_live: OnLive | None = None,
    cpus: tuple[int, ...] = (),
    steered_by: int = -1,
) -> dict[str, Any]:
    """The result of one run (docs/load.md tells its fields); `steered_by`
    is a descriptor (steer.py)."""
    spec.check()
    limits.raise_descriptors()
    reasons = limits.too_much(limits.Asked.of(spec), limits.read())
    if reasons:
        raise WsgibenchError("%s." % "; ".join(reasons))
    spec = replace(spec, processes=useful_processes(spec))
    rendered = render(spec)
    before = kernel.snapshot()
    steered = None
    if steered_by >= 0:
        on_live = steered = Steered(steered_by, on_live)
    if spec.processes == 1:
        if cpus:
            limits.pin(cpus[0])
        raw = generator.run(spec, rendered, on_live)
    else:
        raw = processes.run(spec, rendered, on_live, cpus)
    if steered is not None and steered.enough:
        raw["interrupted"] = False
    counters = kernel.difference(before, kernel.snapshot())
    name_routes(raw, rendered.routes)
    return complete(raw, spec, counters)


def useful_processes(spec: LoadSpec) -> int:
    """A process without a request of its own would have no end."""
    return min(spec.processes, spec.requests or spec.processes)


def name_routes(result: dict[str, Any], names: list[str]) -> None:
    """``routes`` by name, in a record's form; absent if there is only one."""
    routes = result.pop("routes")
    if routes:
        result["routes"] = {
            names[route["number"]]: {
                "classes": route["classes"],
                "response": described(route["response"]),
                "tail": with_censored(route["response"], route["censored"]),
                "censored": {
                    "count": route["censored"].count,
                    "hdr": route["censored"].encode(),
                },
            }
            for route in routes
        }
    for window in [*result["windows"], result["drain"]]:
        if "routes" in window:
            window["routes"] = {
                names[int(number)]: {
                    "classes": route["classes"],
                    "response": route["response"].encode(),
                }
                for number, route in window["routes"].items()
            }


def _shares(result: dict[str, Any]) -> list[float]:
    """Of a CPU, without the time that was spent watching the clock."""
    return [
        max(0, part["cpu_ns"] - part["spin_ns"]) / max(1, part["duration_ns"])
        for part in result["processes"]
    ]


def _fairness(connections: dict[str, Any]) -> None:
    squares = connections.pop("answers_squared")
    answers = connections["answers"]
    asked = connections["asked"]
    connections["jain"] = answers**2 / (asked * squares) if squares else 0.0


def _text_windows(result: dict[str, Any], with_response: bool) -> None:
    for window in [*result["windows"], result["drain"]]:
        response = window.pop("response")
        window["service"] = window["service"].encode()
        if with_response:
            window["response"] = response.encode()


def complete(
    result: dict[str, Any], spec: LoadSpec, counters: dict[str, int]
) -> dict[str, Any]:
    """Adds what follows from the generator's own numbers."""
    seconds = result["duration_ns"] / 1e9
    done = max(1, result["classes"]["ok"])
    work = max(0, result["cpu_ns"] - result["spin_ns"])
    result["schema"] = SCHEMA
    result["tool"] = "wsgibench"
    result["url"] = spec.url
    result["asked"] = {
        "connections": spec.connections,
        "duration_s": spec.seconds,
        "rate": spec.rate,
        "rate_end": spec.rate if spec.rate_end is None else spec.rate_end,
        "mean_rate": spec.mean_rate,
        "stages": [list(stage) for stage in spec.stages],
        "think_s": list(spec.think),
        "arrivals": "poisson" if spec.poisson else "constant",
        "seed": spec.seed,
        "keepalive": spec.keepalive,
        "processes": spec.processes,
    }
    result["duration_s"] = seconds
    result["bytes_per_s"] = {
        "in": result["bytes_in"] / seconds if seconds else 0.0,
        "out": result["bytes_out"] / seconds if seconds else 0.0,
    }
    result["goodput"] = result["ok_in_time"] / seconds if seconds else 0.0
    result["client_cpu_us_per_request"] = work / 1e3 / done
    result["client_cpu_share"] = max(_shares(result))
    result["tail"] = with_censored(
        result["response"], result["censored"], spec.percentiles
    )
    for name in merge.HISTOGRAMS:
        result[name] = described(result[name], spec.percentiles)
    _text_windows(result, spec.open_loop)
    _fairness(result["connections"])
    result["kernel"] = counters
    result["doubts"] = doubts.of_run(result, spec)
    result["verdict"], result["reasons"] = summary(result["doubts"])
    return result
