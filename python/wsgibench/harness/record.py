"""The record of a run: one versioned JSON file with the raw windows.

docs/record-format.md tells its fields. It is written anew, as a whole, after
every start of a cell, so that nothing measured is lost.
"""

from __future__ import annotations

import datetime
import json
import os
import tempfile
from pathlib import Path
from typing import Any

from wsgibench import __version__
from wsgibench.errors import UsageError

SCHEMA = "wsgibench-record/3"


def new(
    argv: list[str], seed: int, machine: dict[str, Any]
) -> dict[str, Any]:
    now = datetime.datetime.now(datetime.timezone.utc)
    return {
        "schema": SCHEMA,
        "wsgibench": __version__,
        "created": now.isoformat(timespec="seconds"),
        "argv": argv,
        "seed": seed,
        "machine": machine,
        "cells": [],
        "failures": [],
        "starts": 0,  # that each cell is to have
        "complete": False,
    }


def write(record: dict[str, Any], path: Path) -> None:
    """Atomically: a reader sees the old file or the new one."""
    fd, temporary = tempfile.mkstemp(
        dir=path.parent, prefix=path.name, suffix=".tmp"
    )
    with os.fdopen(fd, "w") as file:
        json.dump(record, file)
        file.write("\n")
    os.chmod(temporary, 0o644)
    os.replace(temporary, path)


def read(path: Path) -> dict[str, Any]:
    try:
        record: dict[str, Any] = json.loads(path.read_text())
    except OSError as error:
        raise UsageError(
            "cannot read %s: %s." % (path, error.strerror)
        ) from error
    except ValueError as error:
        raise UsageError("%s is not JSON: %s." % (path, error)) from error
    if record.get("schema") != SCHEMA:
        raise UsageError(
            "%s is not a record of this version (%s, not %s); run it again."
            % (path, SCHEMA, record.get("schema"))
        )
    return record
