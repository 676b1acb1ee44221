"""What tests of gunicorn's settings share: the application, which the fixture
`run_gapp` serves, and what is asked of it."""

from __future__ import annotations

import http.client

import pytest

config = pytest.importorskip("gunicorn.config")

APP = """
import os

def app(environ, start_response):
    path = environ["PATH_INFO"]
    fields = [("Content-Type", "text/plain")]
    if path == "/file":
        start_response("200 OK", fields)
        return environ["wsgi.file_wrapper"](open(__file__, "rb"))
    if path == "/class":
        start_response("200 OK", fields)
        return [environ["wsgi.file_wrapper"].__module__.encode()]
    if path == "/raise":
        raise ValueError("from the application")
    if path == "/large":
        environ["wsgi.input"].read()
    start_response("200 OK", fields)
    if path.startswith("/underscores"):
        names = sorted(name for name in environ if "X_A" in name)
        return [repr([(name, environ[name]) for name in names]).encode()]
    names = ("wsgi.url_scheme", "SCRIPT_NAME", "PATH_INFO", "FROM_RAW_ENV")
    found = [environ.get(name, os.environ.get(name, "")) for name in names]
    return [" ".join(found).encode()]
"""


def ask(port: int, path: str = "/", **fields: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    names = {name.replace("_", "-"): value for name, value in fields.items()}
    connection.request("GET", path, headers=names)
    response = connection.getresponse()
    answer = response.status, response.read()
    connection.close()
    return answer


def exists(name: str) -> bool:
    return name in {setting.name for setting in config.KNOWN_SETTINGS}
