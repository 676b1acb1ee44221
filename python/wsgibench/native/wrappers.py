"""What is put around the application for a setting, and only then."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

from wsgibench.native.contract import Application


def counted(
    app: Application, limit: int, on_limit: Callable[[], None]
) -> Application:
    """Tells when request number `limit` begins."""
    numbers = itertools.count(1)  # one step, under any thread

    def call(environ: dict[str, Any], start_response: Any) -> Any:
        if next(numbers) == limit:
            on_limit()
        return app(environ, start_response)

    return call


def with_health(
    app: Application, path: str, is_draining: Callable[[], bool]
) -> Application:
    """Answers `path` itself: 200, and 503 while the server drains, so that a
    load balancer sends no more."""

    def call(environ: dict[str, Any], start_response: Any) -> Any:
        if environ["PATH_INFO"] != path:
            return app(environ, start_response)
        draining = is_draining()
        body = b"draining\n" if draining else b"ok\n"
        start_response(
            "503 Service Unavailable" if draining else "200 OK",
            [
                ("Content-Type", "text/plain"),
                ("Content-Length", str(len(body))),
                ("Cache-Control", "no-store"),
            ],
        )
        return [body]

    return call
