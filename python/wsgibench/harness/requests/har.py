"""A HAR file: what a browser's developer tools save (HTTP Archive 1.2)."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from wsgibench.errors import UsageError
from wsgibench.harness.requests.request import Headers, Request, checked

#: What belongs to the browser's own connection.
LEFT_OUT = {"connection", "content-length", "host", "keep-alive"}
LEFT_OUT |= {"proxy-connection", "te", "transfer-encoding", "upgrade"}


def read(text: str, path: Path) -> tuple[list[Request], str, list[str]]:
    """(requests, host, remarks): those to the host of the first one."""
    try:
        entries = json.loads(text)["log"]["entries"]
        asked = [entry["request"] for entry in entries]
        first = urlsplit(asked[0]["url"])
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise UsageError(
            "%s is no HAR file: %s: %s." % (path, type(error).__name__, error)
        ) from error
    found, elsewhere, empty = [], 0, 0
    for number, one in enumerate(asked, 1):
        where = "%s, entry %d" % (path, number)
        try:
            url = urlsplit(one["url"])
            if url.netloc != first.netloc:
                elsewhere += 1
                continue
            body = _body(one.get("postData") or {})
            if not body and one.get("bodySize", 0) > 0:
                empty += 1
                continue
            target = (url.path or "/") + (url.query and "?" + url.query)
            headers = _headers(one.get("headers", []))
            request = Request(one["method"], target, headers, body)
        except (KeyError, TypeError, ValueError) as error:
            raise UsageError(
                "%s: %s: %s." % (where, type(error).__name__, error)
            ) from error
        found.append(checked(request, where))
    remarks = []
    if elsewhere:
        remarks.append(
            "%d of %d requests of %s went to other hosts than %s: left out"
            % (elsewhere, len(asked), path.name, first.netloc)
        )
    if empty:
        remarks.append(
            "%d requests of %s had bodies that the browser did not save: "
            "left out" % (empty, path.name)
        )
    return found, first.netloc, remarks


def _headers(found: list[dict[str, str]]) -> Headers:
    return tuple(
        (one["name"], one["value"])
        for one in found
        if one["name"].lower() not in LEFT_OUT and one["name"][0] != ":"
    )


def _body(data: dict[str, Any]) -> bytes:
    text = data.get("text") or ""
    if data.get("encoding") == "base64":
        return base64.b64decode(text)
    if text or not data.get("params"):
        return str(text).encode()
    # Values in a HAR are as they were sent, percent-encoded.
    return "&".join(
        "%s=%s" % (one["name"], one.get("value", "")) for one in data["params"]
    ).encode()
