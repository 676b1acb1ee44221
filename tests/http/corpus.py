"""Cases from public test suites, one JSON object a line, if the file is
there: WSGIBENCH_CORPUS names it, or it lies beside the repository."""

from __future__ import annotations

import base64
import json
import os
import re
from pathlib import Path
from typing import Any

from tests.wire.target import ROOT
from wsgibench.audit.http.case import Case, Expected

STATUSES = tuple(range(400, 506))
#: Bytes follow that belong to no request (an upgraded protocol's): the
#: connection may be used or closed as they demand.
SURPLUS = {"llhttp-009", "llhttp-014", "llhttp-015", "llhttp-016"}
#: The first request is valid and asks for the connection to close; what is
#: to be refused comes behind it (RFC 9112 9.6).
AFTER_CLOSE = {"garden-s45"}
#: Up to the end of a chunked body: last chunk, trailer lines, empty line.
LAST_CHUNK = re.compile(
    rb"\A.*?\r\n0+[ \t]*(;[^\n]*)?\r\n([^\r\n]+\r\n)*\r\n", re.S
)


def path() -> Path | None:
    named = os.environ.get("WSGIBENCH_CORPUS")
    if named:
        return Path(named)
    beside = ROOT.parent / "shared" / "corpus" / "http1.jsonl"
    return beside if beside.exists() else None


def cases() -> list[Case]:
    found = path()
    if found is None:
        return []
    lines = found.read_text(encoding="utf-8").splitlines()
    return [_case(json.loads(line)) for line in lines]


def _expected(value: Any) -> Expected:
    if isinstance(value, dict):
        return re.compile(value["re"])
    if isinstance(value, list):
        return tuple(_expected(one) for one in value)
    return value


def _requests(raw: bytes) -> int:
    """How many requests a corpus message holds before one that closes; they
    are simple enough to be counted by hand."""
    count = 0
    rest = raw.lstrip(b"\r\n")
    while rest:
        head, _, rest = rest.partition(b"\r\n\r\n")
        lowered = head.lower() + b"\r\n"
        count += 1
        size = re.search(rb"\ncontent-length:\s*([0-9]+)", lowered)
        if size:
            rest = rest[int(size.group(1)) :]
        elif b"\ntransfer-encoding:" in lowered:
            rest = LAST_CHUNK.sub(b"", b"\r\n" + rest)
        if _closes(lowered):
            break
    return count


def _closes(lowered: bytes) -> bool:
    fields = re.findall(rb"\nconnection:([^\r\n]*)", lowered)
    tokens = [t.strip() for t in b",".join(fields).split(b",")]
    old = b" http/1.0\r\n" in lowered
    return b"close" in tokens or (old and b"keep-alive" not in tokens)


def _case(entry: dict[str, Any]) -> Case:
    raw = base64.b64decode(entry["raw_b64"])
    body = entry.get("expect_body_b64")
    name = entry["id"]
    verdict = entry["expect"]
    served = 1
    persists: bool | None = None
    if verdict == "reject":
        served = 1 if name in AFTER_CLOSE else 0
    elif verdict == "accept" and name not in SURPLUS:
        served = _requests(raw)
        persists = not _closes(raw.split(b"\r\n\r\n")[0].lower() + b"\r\n")
    return Case(
        name=name,
        raw=raw,
        rule="%s (%s)" % (entry["rfc"], entry["source"]),
        verdict=verdict,
        environ={
            key: _expected(value)
            for key, value in (entry["expect_environ"] or {}).items()
        },
        body=None if body is None else base64.b64decode(body),
        statuses=tuple(entry["expect_status_in"] or STATUSES),
        served=served,
        persists=persists,
        half_close=bool(entry["close"]),
        surplus=name in SURPLUS,
        quiet=True,
        family=entry["level"],
    )
