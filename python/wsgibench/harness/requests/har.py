"""A HAR file: what a browser's developer tools save (HTTP Archive 1.2)."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus, urlsplit

from wsgibench.errors import UsageError
from wsgibench.harness.requests.request import Headers, Request, checked

#: What belongs to the browser's own connection.
LEFT_OUT = {"connection", "content-length", "host", "keep-alive"}
LEFT_OUT |= {"proxy-connection", "te", "transfer-encoding", "upgrade"}
FORM = "x-www-form-urlencoded"
ENCODED = re.compile(r"(?:[A-Za-z0-9*._~+-]|%[0-9A-Fa-f]{2})*")
SCHEMES = ("http", "https")  # not data:, blob: or an extension's


def read(text: str, path: Path) -> tuple[list[Request], str, list[str]]:
    """(requests, host, remarks): those to the host of the first one."""
    try:
        entries = json.loads(text)["log"]["entries"]
        asked = [entry["request"] for entry in entries]
        urls = (urlsplit(one["url"]) for one in asked)
        first = next(url for url in urls if url.scheme in SCHEMES)
    except StopIteration as error:
        raise UsageError(
            "%s is no HAR file with requests by HTTP." % path
        ) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(
            "%s is no HAR file: %s: %s." % (path, type(error).__name__, error)
        ) from error
    found, elsewhere, empty = [], 0, 0
    for number, one in enumerate(asked, 1):
        where = "%s, entry %d" % (path, number)
        try:
            url = urlsplit(one["url"])
            if url.netloc != first.netloc or url.scheme not in SCHEMES:
                elsewhere += 1
                continue
            body = _body(one.get("postData") or {})
            if not body and _had_a_body(one):
                empty += 1
                continue
            target = (url.path or "/") + (url.query and "?" + url.query)
            headers = _headers(one.get("headers", []))
            request = Request(one["method"], target, headers, body)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
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
        if one["name"].lower() not in LEFT_OUT
        and not one["name"].startswith(":")  # HTTP/2's own
    )


def _had_a_body(request: dict[str, Any]) -> bool:
    """Browsers leave out uploads, and some of them the size, too."""
    headers = {
        one["name"].lower(): one["value"] for one in request.get("headers", [])
    }
    size: float = request.get("bodySize", 0)
    return (
        size > 0
        or headers.get("content-length", "0") != "0"
        or headers.get("content-type", "").startswith("multipart/")
    )


def _body(data: dict[str, Any]) -> bytes:
    text = data.get("text") or ""
    if data.get("encoding") == "base64":
        return base64.b64decode(text)
    if text or not data.get("params") or FORM not in data.get("mimeType", ""):
        return str(text).encode()
    return "&".join(
        "%s=%s" % (_encoded(one["name"]), _encoded(one.get("value", "")))
        for one in data["params"]
    ).encode()


def _encoded(text: str) -> str:
    """Some programs write a form's fields as they were sent, others as they
    were typed."""
    return text if ENCODED.fullmatch(text) else quote_plus(text)
