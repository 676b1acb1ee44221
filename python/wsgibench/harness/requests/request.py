"""One request of a visitor."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from wsgibench.errors import UsageError

Headers = tuple[tuple[str, str], ...]

TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
TARGET = re.compile(r"[!-~]+")
#: A part of a path that names one thing of many.
NUMBER = re.compile(r"\d+|[0-9a-fA-F]{8}-[0-9a-fA-F-]{27}|[0-9a-fA-F]{16,}")


@dataclass(frozen=True)
class Request:
    method: str
    target: str  # path and query, as they are sent
    headers: Headers = ()
    body: bytes = b""
    weight: int = 1

    @property
    def name(self) -> str:
        return "%s %s" % (self.method, self.target)

    @property
    def route(self) -> str:
        """What is counted together: no query, and {} for numbers and ids."""
        path = self.target.partition("?")[0]
        parts = [
            "{}" if NUMBER.fullmatch(part) else part
            for part in path.split("/")
        ]
        return "%s %s" % (self.method, "/".join(parts))

    @property
    def is_safe(self) -> bool:
        return self.method in ("GET", "HEAD", "OPTIONS")

    def header(self, name: str) -> str:
        wanted = name.lower()
        return next((v for n, v in self.headers if n.lower() == wanted), "")

    def of(self, visitor: Mapping[str, str]) -> Request:
        """This request by one visitor: the headers that a session gave come
        in place of those of that name; "{name}" in target, headers and body
        becomes the value that the session gave for it."""
        names = {key: text for key, text in visitor.items() if "{" in key}
        more = {k: text for k, text in visitor.items() if k not in names}

        def filled(text: str) -> str:
            for key, value in names.items():
                text = text.replace(key, value)
            return text

        body = self.body
        for key, value in names.items():
            body = body.replace(key.encode(), value.encode())
        taken = {key.lower() for key in more}
        kept = tuple(
            (name, filled(value))
            for name, value in self.headers
            if name.lower() not in taken
        )
        return replace(
            self,
            target=filled(self.target),
            headers=kept + tuple(more.items()),
            body=body,
        )


def checked(request: Request, where: str) -> Request:
    """UsageError for what cannot be sent."""
    if not TOKEN.fullmatch(request.method):
        raise UsageError("%s: %r is no method." % (where, request.method))
    if not TARGET.fullmatch(request.target) or request.target[0] != "/":
        raise UsageError(
            "%s: %r is no target like /path?query (spaces and letters beyond "
            "ASCII are percent-encoded)." % (where, request.target)
        )
    if request.weight < 1:
        raise UsageError(
            "%s: the weight %r is not a number from 1."
            % (where, request.weight)
        )
    for name, value in request.headers:
        if not TOKEN.fullmatch(name) or re.search(r"[\r\n\0]", value):
            raise UsageError(
                "%s: %r is no header." % (where, "%s: %s" % (name, value))
            )
        try:
            value.encode("latin-1")
        except UnicodeEncodeError as error:
            raise UsageError(
                "%s: the header %s has letters beyond latin-1." % (where, name)
            ) from error
    return request
