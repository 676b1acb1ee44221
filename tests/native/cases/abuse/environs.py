"""The environ."""

from __future__ import annotations

import threading
from typing import Any

from tests.native.cases.abuse.case import case, start


@case(b"x")
def environ_emptied(environ: Any, start_response: Any) -> Any:
    environ.clear()
    start(start_response)
    return [b"x"]


@case(b"x")
def environ_filled(environ: Any, start_response: Any) -> Any:
    for n in range(5000):
        environ[n] = environ
    environ["REQUEST_METHOD"] = None
    environ["wsgi.input"] = environ["wsgi.errors"] = None
    start(start_response)
    return [b"x"]


@case(b"x")
def environ_changed_after(environ: Any, start_response: Any) -> Any:
    def run() -> None:
        for n in range(20000):
            environ["later"] = n
            environ["PATH_INFO"] = "/spoilt"

    threading.Thread(target=run, daemon=True).start()
    start(start_response)
    return [b"x"]


@case(b"x")
def environ_is_clean(environ: Any, start_response: Any) -> Any:
    assert "later" not in environ, environ
    assert environ["PATH_INFO"] == "/environ_is_clean", environ
    assert 4 not in environ
    start(start_response)
    return [b"x"]
