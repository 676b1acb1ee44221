"""wsgibench's own server in several processes that share the socket."""

from __future__ import absolute_import

NAME = "c-uv-workers"
REQUIRES = ["wsgibench"]
INTERPRETERS = {"CPython": ">=3.9", "PyPy": ">=3.9"}
SETTINGS = {"keep_alive": True, "access_log": False}
OPTIONS = {"threads": 0, "workers": 2, "supervised": 0}
BEST = "one worker for each CPU"


def serve(app, sock, ready, options):
    from wsgibench_target.servers._wsgibench import run

    run(app, sock, ready, options)
