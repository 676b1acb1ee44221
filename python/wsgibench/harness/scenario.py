"""Scenarios by name: what is asked, and what must be the answer.

``sleep+flask`` is the scenario sleep with its work in a Flask view.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from wsgibench import plugins
from wsgibench.errors import UsageError
from wsgibench.harness.application import Application
from wsgibench.harness.requests.request import Request

FOLDER = "scenarios"
FRAMEWORKS = "target/frameworks"

#: Everyone who runs an application, in whatever way.
ANY = ("wsgi", "task")


@dataclass(frozen=True)
class Scenario:
    name: str
    about: str
    app: str  # a module of target/apps
    body: bytes
    path: str = "/"
    status: int = 200  # 0: whatever it is
    framework: str = "wsgi"
    speaks: tuple[str, ...] = ANY
    services: tuple[str, ...] = ()
    requires: tuple[str, ...] = ()
    options: dict[str, Any] = field(default_factory=dict, hash=False)
    #: Seconds: how long an answer takes when nothing is in the way.
    delay: float = 0.0
    #: The body is not known before the application answers.
    any_body: bool = False
    #: The user's own; `app` is then its module:name.
    application: Application | None = None
    requests: tuple[Request, ...] = field(default=(), hash=False)


def of_application(
    application: Application, requests: Sequence[Request]
) -> Scenario:
    """The user's own application under requests of the user's choice. Ready
    is a server that answers the first safe request, whatever it says: what
    it must say is the application's to tell (baseline.py)."""
    safe = [one.target for one in requests if one.is_safe]
    return Scenario(
        name=application.target,
        about="the application %s" % application.target,
        app=application.target,
        body=b"",
        path=safe[0] if safe else "/",
        status=0,
        speaks=("wsgi",),
        any_body=True,
        application=application,
        requests=tuple(requests),
    )


def _requires(scenario_requires: list[str], framework: str) -> tuple[str, ...]:
    plugins.check(FRAMEWORKS, framework, "framework")
    more = plugins.constants(FRAMEWORKS, framework)["REQUIRES"]
    return tuple(sorted({*scenario_requires, *more}))


@functools.cache
def rows() -> dict[str, dict[str, Any]]:
    """All scenarios by name, as their modules write them."""
    found: dict[str, dict[str, Any]] = {}
    for name in plugins.names(FOLDER):
        found.update(plugins.load(FOLDER, name, "module").SCENARIOS)
    return dict(sorted(found.items()))


def find(text: str) -> Scenario:
    name, plus, framework = text.partition("+")
    plugins.among(name, list(rows()), "scenario")
    row = rows()[name]
    own = row.get("framework", "wsgi")
    if plus and own != "wsgi":
        raise UsageError(
            "%s has its framework; there is no %s." % (name, text)
        )
    framework = framework or own
    app = plugins.PACKAGE / "target" / "apps" / (row["app"] + ".py")
    body = row["body"]
    values = {
        **row,
        "body": body() if callable(body) else body,
        "framework": framework,
        "speaks": _speaks(row.get("speaks", ANY), app),
        "services": tuple(row.get("services", ())),
        "requires": _requires(row.get("requires", []), framework),
    }
    return Scenario(name=text, **values)


def _speaks(kinds: Sequence[str], app: Path) -> tuple[str, ...]:
    spoken = tuple(kinds)
    if "task" in spoken and "\ndef steps(" in app.read_text():
        spoken += ("split",)
    return spoken
