"""wsgibench's own server, the application in a pool of threads."""

from __future__ import absolute_import

NAME = "c-uv-threads"
REQUIRES = ["wsgibench"]
INTERPRETERS = {"CPython": ">=3.9", "PyPy": ">=3.9"}
SETTINGS = {"keep_alive": True, "access_log": False}
OPTIONS = {"threads": 16, "workers": 1, "supervised": 0}
BEST = "as many threads as requests that wait at a time"


def serve(app, sock, ready, options):
    from wsgibench_target.servers._wsgibench import run

    run(app, sock, ready, options)
