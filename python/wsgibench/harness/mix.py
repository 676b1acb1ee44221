"""The requests of an application as a load: an entry for each, which says
what must be answered."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from wsgibench.harness.plan import Load
from wsgibench.harness.requests.request import Request
from wsgibench.harness.scenario import Scenario
from wsgibench.harness.stable import Stable
from wsgibench.harness.visit import Visitor
from wsgibench.load.spec import Entry, Headers, LoadSpec

#: Routes that a report shows; the rest is counted together.
MOST_ROUTES = 40
OTHERS = "others"


def route_names(requests: Sequence[Request]) -> list[str]:
    """The route of each request; seldom ones are put together."""
    weights: dict[str, int] = {}
    for one in requests:
        weights[one.route] = weights.get(one.route, 0) + one.weight
    ranked = sorted(weights, key=lambda name: -weights[name])
    shown = set(ranked[:MOST_ROUTES])
    return [one.route if one.route in shown else OTHERS for one in requests]


def coverage(
    requests: Sequence[Request], expected: Sequence[Stable]
) -> dict[str, float]:
    """Parts of the requests whose answers are checked under load by the
    whole body, by its length, by the status alone."""
    found = {"body": 0.0, "length": 0.0, "status": 0.0}
    total = sum(one.weight for one in requests)
    for one, must in zip(requests, expected):
        found[_check(one, must)] += one.weight / total
    return found


def _check(request: Request, must: Stable) -> str:
    if request.method == "HEAD":
        return "status"
    if must.raw is not None:
        return "body"
    return "length" if must.raw_size >= 0 else "status"


def _entry(
    request: Request, must: Stable, route: str, skip: set[str], slots: Any
) -> Entry:
    check = _check(request, must)
    headers = [
        (name, value)
        for name, value in request.headers
        if name.lower() not in skip
    ]
    return Entry(
        request.of(slots).target,
        request.method,
        tuple(headers),
        request.of(slots).body,
        weight=request.weight,
        route=route,
        expect_status=tuple(sorted(must.statuses)),
        expect_body=must.raw if check == "body" else None,
        expect_length=must.raw_size if check == "length" else None,
    )


def _slots(visitors: Sequence[Visitor], folder: Path) -> dict[str, str]:
    """ "{token}" -> the template that is visitor i's on connection i."""
    found = {}
    names = {name for one in visitors for name in one if "{" in name}
    for number, name in enumerate(sorted(names)):
        path = folder / ("visitors-%d" % number)
        lines = [one.get(name, "") for one in visitors]
        path.write_text("\n".join(lines) + "\n")
        found[name] = "{visitor:%s}" % path
    return found


def spec(
    url: str,
    load: Load,
    scenario: Scenario,
    visitors: Sequence[Visitor],
    expected: Sequence[Stable],
    folder: Path,
    *,
    seed: int,
    timeout: float,
) -> LoadSpec:
    headers: tuple[Headers, ...] = tuple(
        tuple((k, v) for k, v in one.items() if "{" not in k)
        for one in visitors
    )
    skip = {name.lower() for one in headers for name, _ in one}
    slots = _slots(visitors, folder)
    application = scenario.application
    assert application is not None
    return load.spec(
        url,
        headers="minimal",  # the others are in the entries
        seed=seed,
        extra_headers=(("Host", application.host),),
        visitors=headers if any(headers) else (),
        entries=tuple(
            _entry(request, must, route, skip, slots)
            for request, must, route in zip(
                scenario.requests, expected, route_names(scenario.requests)
            )
        ),
        timeout=timeout,
    )
