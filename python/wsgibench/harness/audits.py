"""What `wsgibench audit` found of the servers, kept for the tables of `run`:
beside how fast a server is they say whether it is right.

A score belongs to the server with its options and to the environment that it
was installed in. Where that was not audited, the one that comes with wsgibench
stands for it, if it is of the same version: docs/trust.md, with its date.
"""

from __future__ import annotations

import functools
import hashlib
import json
from pathlib import Path
from typing import Any

from wsgibench import cache
from wsgibench.audit import SCORES
from wsgibench.audit.record import Audit, summary, version
from wsgibench.harness.environments import Environment


def _place(server: str, environment: Environment) -> Path:
    """An environment's folder is named after all that is installed in it."""
    digest = hashlib.sha256()
    for text in (server, environment.python):
        digest.update(text.encode() + b"\0")
    return cache.directory() / "audits" / (digest.hexdigest()[:16] + ".json")


def keep(server: str, environment: Environment, audit: Audit) -> None:
    """A whole audit; a part says nothing of the rest."""
    score = summary(audit)
    place = _place(server, environment)
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(json.dumps(score))


def find(
    server: str, environment: Environment, python: str
) -> dict[str, Any] | None:
    """{"date", "right", "of", "worst"}, and "elsewhere" if it is of the same
    version on another machine; None: never audited. `python`: as in
    "CPython 3.11.7"."""
    try:
        text = _place(server, environment).read_text()
        score: dict[str, Any] = json.loads(text)
    except (OSError, ValueError):
        return _elsewhere(
            server, python, version(server, environment.versions)
        )
    return score


def _elsewhere(
    server: str, python: str, installed: str
) -> dict[str, Any] | None:
    known = (server, python.rpartition(".")[0], installed)
    for one in _scores():
        if (one["server"], one["python"], one["version"]) == known:
            kept = ("date", "right", "of", "worst")
            return {**{key: one[key] for key in kept}, "elsewhere": True}
    return None


@functools.cache
def _scores() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(SCORES.read_text())
    return found
