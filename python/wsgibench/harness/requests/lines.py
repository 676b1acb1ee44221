"""Lines of ``[WEIGHT] METHOD /target``, or of JSON objects.

    {"method": "POST", "target": "/notes", "form": {"text": "hello"},
     "headers": {"X-CSRFToken": "{token}"}, "weight": 3}

The body of a JSON line is one of "body" (text), "base64", "file" (a path, from
where the list lies), "json", "form" (application/x-www-form-urlencoded) and
"multipart" ({field: value}; a value "@path" is a file to upload).
"""

from __future__ import annotations

import base64
import binascii
import json
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

from wsgibench import bounded
from wsgibench.errors import UsageError
from wsgibench.harness.requests.request import Headers, Request, checked
from wsgibench.load.spec import MAX_WEIGHTS
from wsgibench.load.values import whole

BODIES = ("body", "base64", "file", "json", "form", "multipart")
KEYS = {"method", "target", "headers", "weight", *BODIES}
BOUNDARY = "wsgibench-3f1d5a6e9c2b4780"


def plain(text: str, path: Path) -> list[Request]:
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        words = line.partition(" #")[0].split()
        if not words or words[0].startswith("#"):
            continue
        where = "%s, line %d" % (path, number)
        weight = 1
        if words[0].isascii() and words[0].isdigit():
            weight = whole(words.pop(0), MAX_WEIGHTS) or 0
        method = "GET"
        if len(words) == 2:
            method = words.pop(0)
        if method[:1] in "-+.0123456789":
            raise UsageError(
                "%s: the weight %s is not a number from 1." % (where, method)
            )
        if len(words) != 1:
            raise UsageError(
                "%s: %r is not like '3 GET /path' or '/path'." % (where, line)
            )
        one = Request(method, words[0], weight=weight)
        found.append(checked(one, where))
    return found


def of_json(text: str, path: Path) -> list[Request]:
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        where = "%s, line %d" % (path, number)
        try:
            value = json.loads(line)
        except ValueError as error:
            raise UsageError("%s: not JSON: %s." % (where, error)) from error
        if not isinstance(value, dict):
            raise UsageError("%s: not a JSON object." % where)
        found.append(checked(_one(value, where, path.parent), where))
    return found


def _one(value: dict[str, Any], where: str, folder: Path) -> Request:
    wrong = sorted(set(value) - KEYS)
    if wrong:
        raise UsageError(
            "%s: there is no %s; a request may have: %s."
            % (where, ", ".join(wrong), ", ".join(sorted(KEYS)))
        )
    kinds = [kind for kind in BODIES if kind in value]
    if len(kinds) > 1:
        raise UsageError(
            "%s: one body, not %s." % (where, " and ".join(kinds))
        )
    body, content_type = b"", ""
    if kinds:
        body, content_type = _body(kinds[0], value[kinds[0]], where, folder)
    headers = _headers(value.get("headers", {}), where)
    names = {name.lower() for name, _ in headers}
    if content_type and "content-type" not in names:
        headers = (*headers, ("Content-Type", content_type))
    weight = value.get("weight", 1)
    return Request(
        str(value.get("method", "POST" if kinds else "GET")),
        str(value.get("target", "")) or "?",
        headers,
        body,
        weight if isinstance(weight, int) else 0,
    )


def _headers(value: Any, where: str) -> Headers:
    pairs = value.items() if isinstance(value, dict) else value
    try:
        return tuple((str(name), str(text)) for name, text in pairs)
    except (TypeError, ValueError) as error:
        raise UsageError(
            "%s: headers are an object, or a list of pairs." % where
        ) from error


def _read(name: str, where: str, folder: Path) -> bytes:
    try:
        return bounded.read(folder / name)
    except UsageError as error:
        raise UsageError("%s: %s" % (where, error)) from error


def _body(
    kind: str, value: Any, where: str, folder: Path
) -> tuple[bytes, str]:
    """(bytes, what the Content-Type is if no header says it)"""
    if kind == "json":
        return json.dumps(value).encode(), "application/json"
    if kind in ("form", "multipart"):
        if not isinstance(value, dict):
            raise UsageError("%s: %s is an object." % (where, kind))
        if kind == "form":
            return _form(value), "application/x-www-form-urlencoded"
        return (
            _multipart(value, where, folder),
            "multipart/form-data; boundary=" + BOUNDARY,
        )
    if kind == "file":
        return _read(str(value), where, folder), "application/octet-stream"
    if kind == "base64":
        try:
            return base64.b64decode(value, validate=True), ""
        except (binascii.Error, TypeError, ValueError) as error:
            raise UsageError("%s: not base64: %s." % (where, error)) from error
    return str(value).encode(), "text/plain; charset=utf-8"


def _form(value: dict[str, Any]) -> bytes:
    # Braces stay, for what a session fills in.
    return "&".join(
        "%s=%s" % (quote_plus(str(k)), quote_plus(str(v), safe="{}"))
        for k, v in value.items()
    ).encode()


def _multipart(value: dict[str, Any], where: str, folder: Path) -> bytes:
    """RFC 7578."""
    blocks = []
    for name, text in value.items():
        text = str(text)
        head = 'Content-Disposition: form-data; name="%s"' % name
        content = text.encode()
        if text.startswith("@"):
            content = _read(text[1:], where, folder)
            head += '; filename="%s"' % Path(text[1:]).name
            head += "\r\nContent-Type: application/octet-stream"
        lines = "--%s\r\n%s\r\n\r\n" % (BOUNDARY, head)
        blocks.append(lines.encode() + content + b"\r\n")
    return b"".join(blocks) + ("--%s--\r\n" % BOUNDARY).encode()
