"""What `wsgibench audit` found of the servers, kept for the tables of `run`:
beside how fast a server is they say whether it is right.

A score belongs to the server with its options and to the environment that it
was installed in; other versions have to be audited themselves.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from wsgibench.audit.finding import Finding, worst
from wsgibench.audit.record import Audit
from wsgibench.harness.environments import Environment, cache_directory


def _place(server: str, environment: Environment) -> Path:
    """An environment's folder is named after all that is installed in it."""
    digest = hashlib.sha256()
    for text in (server, environment.python):
        digest.update(text.encode() + b"\0")
    return cache_directory() / "audits" / (digest.hexdigest()[:16] + ".json")


def keep(
    server: str, environment: Environment, audit: Audit, date: str
) -> None:
    """A whole audit; a part says nothing of the rest."""
    first = worst(audit.findings)
    score = {
        "date": date,
        "right": sum(finding.right for finding in audit.findings),
        "of": len(audit.findings),
        "worst": "" if first is None else _words(first),
    }
    place = _place(server, environment)
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(json.dumps(score))


def _words(finding: Finding) -> str:
    return "%s: %s" % (finding.id, finding.complaint[:120])


def find(server: str, environment: Environment) -> dict[str, Any] | None:
    """{"date", "right", "of", "worst"}, or None: never audited."""
    try:
        text = _place(server, environment).read_text()
        score: dict[str, Any] = json.loads(text)
    except (OSError, ValueError):
        return None
    return score
