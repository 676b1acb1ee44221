"""The record of a run: one versioned JSON file with the raw windows.

docs/record-format.md tells its fields. It is written anew, as a whole, after
every start of a cell, so that nothing measured is lost.
"""

from __future__ import annotations

import contextlib
import datetime
import json
import os
import secrets
import stat
from pathlib import Path
from typing import Any

from wsgibench import __version__, bounded, printable
from wsgibench.errors import UsageError, WsgibenchError
from wsgibench.harness import checking, source
from wsgibench.typed import Wrong

SCHEMA = "wsgibench-record/3"
TIMED, COUNTED = "timed", "counted"
#: Kinds of records, and the command that makes each.
OF = {
    TIMED: "`run`",
    COUNTED: "`run --counted`",
    "capacity": "`capacity`",
    "size": "`size`",
}


def new(argv: list[str], seed: int, machine: dict[str, Any]) -> dict[str, Any]:
    now = datetime.datetime.now(datetime.timezone.utc)
    return {
        "schema": SCHEMA,
        "wsgibench": __version__,
        "commit": source.commit(),
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
    """WsgibenchError, one sentence, for what cannot be written."""
    text = json.dumps(record) + "\n"
    try:
        if path.exists() and not path.is_file():
            path.write_text(text)  # a device, a pipe
        else:
            _replace(path, text)
    except OSError as error:
        raise WsgibenchError(
            "cannot write %s: %s." % (path, error.strerror)
        ) from error


def _replace(path: Path, text: str) -> None:
    """Atomically: a reader sees the old file or the new one. As a plain write
    does, it follows links, keeps the mode of a file that is there and leaves
    that of a new one to the umask."""
    target = os.path.realpath(path)
    temporary = "%s.%s.tmp" % (target, secrets.token_hex(4))
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        with os.fdopen(fd, "w") as file:
            with contextlib.suppress(FileNotFoundError):
                os.fchmod(fd, stat.S_IMODE(os.stat(target).st_mode))
            file.write(text)
        os.replace(temporary, target)
    except BaseException:
        os.unlink(temporary)
        raise


def kind(record: dict[str, Any]) -> str:
    """One of OF."""
    found: str = record.get("kind", TIMED)
    return found


def read(path: Path, *kinds: str) -> dict[str, Any]:
    """One of these kinds; without them, of any. UsageError, one sentence,
    for whatever is no such record; no file takes more memory than a large
    record."""
    found = _read(path)
    if kinds and kind(found) not in kinds:
        raise UsageError(
            "%s is of %s; what is read here is of %s."
            % (path, OF[kind(found)], " or ".join(OF[one] for one in kinds))
        )
    return found


def _read(path: Path) -> dict[str, Any]:
    def check(head: bytes) -> None:
        if not head.lstrip().startswith(b"{"):
            raise UsageError(
                "%s is not JSON: it does not begin with {." % path
            )
        if b'"schema"' not in head:
            raise Wrong("it begins with no schema")

    try:
        found = printable.values(
            bounded.parsed(path, bounded.read(path, check))
        )
        _check_schema(found)
        for cell in _rename(found.get("cells"), RENAMED_OF_CELLS):
            if isinstance(cell, dict):
                _rename(cell.get("starts"), RENAMED_OF_STARTS)
        return checking.checked(found)
    except Wrong as error:
        raise UsageError("%s is no record: %s." % (path, error)) from error


def _check_schema(found: Any) -> None:
    schema = found.get("schema") if isinstance(found, dict) else None
    if schema != SCHEMA:
        raise Wrong(
            "its schema is %s, and %s is read; run it again"
            % (str(schema)[:60], SCHEMA)
        )


#: Keys of 0.2.0's records, and what they are called now.
RENAMED_OF_CELLS = {"twin": "aa"}
RENAMED_OF_STARTS = {"guest": "target"}


def _rename(entries: Any, names: dict[str, str]) -> list[Any]:
    """Renames keys in each of the entries; what has no such form is left to
    checking.checked()."""
    found = entries if isinstance(entries, list) else []
    for entry in found:
        if isinstance(entry, dict):
            for old, name in names.items():
                if old in entry:
                    entry.setdefault(name, entry.pop(old))
    return found
