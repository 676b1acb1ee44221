"""Pinned versions: what the servers' environments held when they were last
pinned, so that another day and another machine race the same things.

benchmarks/pins/IMPLEMENTATION-X.Y.json: {environment: {package: version}}
"""

from __future__ import annotations

import json
from pathlib import Path

from wsgibench.errors import UsageError
from wsgibench.harness import source

Versions = dict[str, str]

#: Built from this very tree, whatever its version.
OURS = ("wsgibench",)
#: Part of every PyPy, in the version that belongs to it.
BUILT_IN = {"pypy": ("cffi", "greenlet", "hpy", "readline")}


def folder() -> Path:
    return source.benchmarks() / "pins"


def _path(implementation: str, version: str) -> Path:
    short = ".".join(version.split(".")[:2])
    return folder() / ("%s-%s.json" % (implementation.lower(), short))


def read(implementation: str, version: str, environment: str) -> Versions:
    path = _path(implementation, version)
    if not path.is_file():
        return {}
    try:
        pinned: dict[str, Versions] = json.loads(path.read_text())
    except ValueError as error:
        raise UsageError("%s is not JSON: %s." % (path, error)) from error
    return pinned.get(environment, {})


def write(
    implementation: str, version: str, environments: dict[str, Versions]
) -> Path:
    """Pins these; others of the same interpreter stay as they are."""
    path = _path(implementation, version)
    pinned: dict[str, Versions] = {}
    if path.is_file():
        pinned = json.loads(path.read_text())
    left_out = (*OURS, *BUILT_IN.get(implementation.lower(), ()))
    for name, versions in environments.items():
        kept = {p: v for p, v in versions.items() if p not in left_out}
        if kept:
            # gunicorn with and without gevent are pinned under one name.
            pinned.setdefault(name, {}).update(kept)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(pinned, indent=1, sort_keys=True) + "\n")
    return path


def agree(versions: Versions, pinned: Versions) -> bool:
    """Whether nothing is held in another version. (Pins of what is not held
    are constraints that never applied.) Names as pip compares them, PEP 503.
    """

    def plain(name: str) -> str:
        return name.lower().replace("_", "-").replace(".", "-")

    found = {plain(name): version for name, version in versions.items()}
    return all(
        found.get(plain(name), version) == version
        for name, version in pinned.items()
    )
